import { FlotillaError } from '@flotilla/core';

/**
 * What is remembered of a command, by its key.
 *
 * | state | means | exits |
 * |---|---|---|
 * | `running` | somebody works on it; believed until `until` | `done`, `failed`, `lost`, forgotten |
 * | `done` | it was answered | its time is over |
 * | `failed` | it failed in a way that is its answer | its time is over |
 * | `lost` | it was done, but the answer was too large to be kept | its time is over |
 */
export type IdempotencyRecord =
  | { readonly state: 'running'; readonly print: string; readonly owner: string; readonly until: number }
  | { readonly state: 'done'; readonly print: string; readonly answer: string | undefined }
  | { readonly state: 'failed'; readonly print: string; readonly error: FlotillaError }
  | { readonly state: 'lost'; readonly print: string };

/** What is to be done with a command. */
export type IdempotencyDecision =
  | { readonly do: 'run' }
  /** Whoever worked on it is gone: instead of it. */
  | { readonly do: 'takeOver' }
  | { readonly do: 'answer'; readonly answer: string | undefined }
  | { readonly do: 'fail'; readonly error: FlotillaError }
  | { readonly do: 'wait' };

/** What decides, besides what is remembered. */
export interface Repetition {
  /** Of the input: another input under the same key is another command. */
  readonly print: string;
  /** Whether doing it twice does no harm. */
  readonly idempotent: boolean;
  /** What becomes of a repetition while the first is worked on. */
  readonly onDuplicate: 'wait' | 'refuse';
  /** Milliseconds since the Unix epoch. */
  readonly wallNow: number;
}

/** The rule. Time is an argument. */
export function decide(record: IdempotencyRecord | undefined, repetition: Repetition): IdempotencyDecision {
  if (!record) return { do: 'run' };
  if (record.print !== repetition.print) return { do: 'fail', error: reused() };
  switch (record.state) {
    case 'done':
      return { do: 'answer', answer: record.answer };
    case 'failed':
      return { do: 'fail', error: record.error };
    case 'lost':
      return { do: 'fail', error: duplicate('was done, and its answer was too large to be kept', 'yes') };
    case 'running':
      if (record.until > repetition.wallNow) {
        return repetition.onDuplicate === 'wait' ? { do: 'wait' } : { do: 'fail', error: stillRunning() };
      }
      if (repetition.idempotent) return { do: 'takeOver' };
      return { do: 'fail', error: duplicate('was begun and never ended: whether it was done is not known', 'unknown') };
  }
}

/**
 * Is a failure the command's answer, which a repetition gets too? Else it is forgotten, and a repetition may run.
 *
 * | executed | kept |
 * |---|---|
 * | `yes`, an answer of the operation | unless it names a time to try again (`retryAfterMs`) |
 * | `no` | never: the repetition is the first |
 * | `unknown` | only if doing it twice would do harm |
 */
export function isKept(error: FlotillaError, idempotent: boolean): boolean {
  if (error.executed === 'yes') return error.retryAfterMs === undefined;
  return error.executed === 'unknown' && !idempotent;
}

/** The record as text. An answer stands in it as the JSON that it is. */
export function formatRecord(record: IdempotencyRecord): string {
  switch (record.state) {
    case 'running': {
      const { state, print, owner, until } = record;
      return JSON.stringify({ state, print, owner, until });
    }
    case 'done': {
      const head = `{"state":"done","print":${JSON.stringify(record.print)}`;
      return record.answer === undefined ? `${head}}` : `${head},"answer":${record.answer}}`;
    }
    case 'failed': {
      const { code, detail, executed, httpStatus, retryAfterMs, data, fromPeer } = record.error;
      const error = { code, detail, executed, httpStatus, retryAfterMs, data, fromPeer };
      return JSON.stringify({ state: 'failed', print: record.print, error });
    }
    case 'lost':
      return JSON.stringify({ state: 'lost', print: record.print });
  }
}

/** @throws Error when the text is no record: another program wrote under this name. */
export function parseRecord(text: string): IdempotencyRecord {
  const read: unknown = JSON.parse(text);
  if (!isObject(read) || typeof read['print'] !== 'string') throw new Error('no record of a command');
  const { state, print, owner, until, error } = read;
  if (state === 'lost') return { state, print };
  if (state === 'done') {
    return { state, print, answer: Object.hasOwn(read, 'answer') ? JSON.stringify(read['answer']) : undefined };
  }
  if (state === 'running' && typeof owner === 'string' && typeof until === 'number')
    return { state, print, owner, until };
  if (state === 'failed' && isObject(error)) return { state, print, error: errorOf(error) };
  throw new Error('no record of a command');
}

function errorOf({
  code,
  detail,
  executed,
  httpStatus,
  retryAfterMs,
  data,
  fromPeer,
}: Record<string, unknown>): FlotillaError {
  return new FlotillaError(String(code), String(detail), {
    executed: executed === 'no' || executed === 'yes' ? executed : 'unknown',
    fromPeer: fromPeer === true,
    data,
    ...(typeof httpStatus === 'number' ? { httpStatus } : undefined),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : undefined),
  });
}

function reused(): FlotillaError {
  return new FlotillaError(
    'IDEMPOTENCY_KEY_REUSED',
    'the idempotency key was used for another input before; a new command wants a new key',
  );
}

function stillRunning(): FlotillaError {
  return new FlotillaError('DUPLICATE_REQUEST', 'the same command came before and is still being worked on', {
    data: { state: 'running' },
    retryAfterMs: 1_000, // most commands take less
  });
}

function duplicate(what: string, executed: 'yes' | 'unknown'): FlotillaError {
  return new FlotillaError('DUPLICATE_REQUEST', `the same command came before; it ${what}`, { executed });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
