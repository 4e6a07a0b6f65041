/**
 * The steps of a guide. A comment before a code block says what its reader does with it:
 *
 * | comment | what is done |
 * |---|---|
 * | `<!-- guide: file NAME -->` | the block is the file NAME |
 * | `<!-- guide: run -->` | the block is typed into a terminal; every command in it succeeds |
 * | `<!-- guide: output -->` | what the last command wrote; `…` stands for anything on a line |
 * | `<!-- guide: terminal NAME until TEXT -->` | the command goes on in a terminal of its own; TEXT appears there |
 * | `<!-- guide: see NAME TEXT -->` | TEXT appears in that terminal, after what was seen there before (no block) |
 * | `<!-- guide: folder NAME -->` | from here on everything is done in that folder (no block) |
 * | `<!-- guide: stop NAME -->` | Ctrl-C in that terminal; the process ends well (no block) |
 * | `<!-- guide: ports 8080 … -->` | what the guide listens on (no block) |
 * | `<!-- guide: needs java … -->` | programs that its reader has; where one is missing the guide is not followed (no block) |
 * | `<!-- guide: shown -->` | only to be read |
 *
 * A block without such a comment is a mistake: nobody would notice when it stops being true.
 */
export type GuideStep = { readonly line: number } & (
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'run'; readonly text: string }
  | { readonly kind: 'output'; readonly text: string }
  | { readonly kind: 'terminal'; readonly name: string; readonly until: string; readonly text: string }
  | { readonly kind: 'see'; readonly name: string; readonly text: string }
  | { readonly kind: 'folder'; readonly name: string }
  | { readonly kind: 'stop'; readonly name: string }
  | { readonly kind: 'ports'; readonly ports: readonly number[] }
  | { readonly kind: 'needs'; readonly programs: readonly string[] }
);

/** @throws Error naming the line of a block that says nothing, or of a comment that is not understood. */
export function readSteps(guide: string): GuideStep[] {
  const steps: GuideStep[] = [];
  const lines = guide.split('\n');
  let directive: { readonly words: string; readonly line: number } | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    const [, words] = /^<!-- guide: (.+) -->$/.exec(lines[at] ?? '') ?? [];
    if (words !== undefined) {
      const alone = readAlone(words, line);
      if (alone) steps.push(alone);
      else directive = { words, line };
    } else if (lines[at]?.startsWith('```')) {
      const end = lines.indexOf('```', at + 1);
      if (end < 0) throw new Error(`line ${line}: a block that has no end`);
      if (!directive) throw new Error(`line ${line}: a block without "<!-- guide: … -->" before it`);
      const text = `${lines.slice(at + 1, end).join('\n')}\n`;
      const step = readBlock(directive.words, line, text);
      if (step) steps.push(step);
      directive = undefined;
      at = end;
    } else if (directive && lines[at] !== '') {
      throw new Error(`line ${directive.line}: "guide: ${directive.words}" has no block after it`);
    }
  }
  return steps;
}

function readAlone(words: string, line: number): GuideStep | undefined {
  const [kind, ...rest] = words.split(' ');
  if ((kind === 'stop' || kind === 'folder') && rest.length === 1) return { kind, name: rest[0] ?? '', line };
  if (kind === 'see' && rest.length > 1) return { kind, name: rest[0] ?? '', text: rest.slice(1).join(' '), line };
  if (kind === 'ports') return { kind, ports: rest.map(Number), line };
  if (kind === 'needs' && rest.length > 0) return { kind, programs: rest, line };
  return undefined;
}

function readBlock(words: string, line: number, text: string): GuideStep | undefined {
  if (words === 'shown') return undefined;
  if (words === 'run' || words === 'output') return { kind: words, text, line };
  const [, file] = /^file (\S+)$/.exec(words) ?? [];
  if (file !== undefined) return { kind: 'file', name: file, text, line };
  const [, name = '', until] = /^terminal (\S+) until (.+)$/.exec(words) ?? [];
  if (until !== undefined) return { kind: 'terminal', name, until, text, line };
  throw new Error(`line ${line}: "guide: ${words}" is not understood; scripts/guide-steps.ts lists what is`);
}

/** Whether a text is what a guide promises: the same lines, `…` for anything within one. */
export function isAsPromised(promised: string, written: string): boolean {
  const pattern = promised
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split('…').map(escaped).join('.*'))
    .join('\n');
  const text = written
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
  return new RegExp(`^${pattern}$`).test(text);
}

/** Where what a guide promises ends in a text; undefined: it is not there. `…` stands for anything on a line. */
export function endOfPromised(promised: string, written: string): number | undefined {
  const found = new RegExp(promised.split('…').map(escaped).join('.*')).exec(written);
  return found ? found.index + found[0].length : undefined;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
