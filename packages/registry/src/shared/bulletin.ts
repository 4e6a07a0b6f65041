import { longestEngineText } from './engine.ts';

/** What a bulletin says of the records that it names. A node leaves a subject alone that it does not know. */
export type BulletinSubject = 'renewed' | 'noticed';

const heads: Readonly<Record<BulletinSubject, string>> = { renewed: '1 ', noticed: '2 ' };

/**
 * Which records it is about, as their revisions: 3,333 renewals a second are about 10 kB, and name exactly the writes
 * that they renew. `1` for renewals, `2` for what all callers of a node know, then the rising revisions in base 36: the
 * first, then the distance from each to the next.
 *
 * ```
 *   renewed: revisions 1000, 1001, 1037  →  1 rs.1.10
 * ```
 */
export function bulletinTexts(
  subject: BulletinSubject,
  revisions: readonly number[],
  longest: number = longestEngineText,
): string[] {
  const rising = [...new Set(revisions)].sort((a, b) => a - b);
  const texts: string[] = [];
  let parts: string[] = [];
  let size = 0;
  let last = 0;
  const flush = (): void => {
    if (parts.length > 0) texts.push(`${heads[subject]}${parts.join('.')}`);
    parts = [];
    size = 0;
    last = 0;
  };
  for (const revision of rising) {
    const part = (revision - last).toString(36);
    if (size + part.length + 3 > longest) {
      flush();
      parts.push(revision.toString(36));
    } else parts.push(part);
    size += part.length + 1;
    last = revision;
  }
  flush();
  return texts;
}

/** @returns nothing for what is no bulletin of that subject. */
export function* readBulletin(subject: BulletinSubject, text: string): Generator<number, undefined> {
  if (!text.startsWith(heads[subject]) || text.length > longestEngineText) return;
  let revision = 0;
  for (const part of text.slice(2).split('.')) {
    if (!/^[0-9a-z]{1,11}$/.test(part)) return;
    revision += Number.parseInt(part, 36);
    if (!Number.isSafeInteger(revision)) return;
    yield revision;
  }
}
