import type { Random } from '@flotilla/core';

/**
 * Up to where a watcher knows a registry: which start of it (epoch), and its last change that was seen. Text form
 * `<epoch>:<revision>`; `conformance/golden/cursor.json` pins it.
 */
export interface Cursor {
  /** 1 to 32 lower-case letters and digits; new with each start of a registry. */
  readonly epoch: string;
  /** A whole number from 0 on. */
  readonly revision: number;
}

const cursorPattern = /^([a-z0-9]{1,32}):(0|[1-9][0-9]{0,15})$/;

export function formatCursor({ epoch, revision }: Cursor): string {
  return `${epoch}:${revision}`;
}

/** @returns undefined for anything that is no cursor: whoever sent it gets a snapshot. */
export function parseCursor(text: string): Cursor | undefined {
  const [, epoch, digits] = cursorPattern.exec(text) ?? [];
  const revision = Number(digits);
  return epoch !== undefined && Number.isSafeInteger(revision) ? { epoch, revision } : undefined;
}

/** The name of one start of a registry: the wall time, and chance for two starts within one millisecond. */
export function createEpoch(wallNow: number, random: Random): string {
  const chance = Math.floor(random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
  return `${Math.floor(wallNow).toString(36)}${chance}`;
}

/** The epoch of cursors that a registry gives after it warmed up; its revisions are counted on. */
export function warmEpoch(epoch: string): string {
  return `${epoch}w`;
}

/**
 * How a watcher that knows the registry up to `cursor` is brought up to date.
 * @param epoch this start of the registry; @param oldest the lowest revision to which all later changes are kept.
 */
export function resumeFrom(
  cursor: string | undefined,
  registry: { readonly epoch: string; readonly oldest: number; readonly revision: number },
): 'snapshot' | { readonly changesAfter: number } {
  const known = cursor === undefined ? undefined : parseCursor(cursor);
  if (!known || known.epoch !== registry.epoch) return 'snapshot';
  if (known.revision < registry.oldest || known.revision > registry.revision) return 'snapshot';
  return { changesAfter: known.revision };
}
