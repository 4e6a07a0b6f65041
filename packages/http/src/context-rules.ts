import { type Call, FlotillaError, instantOf } from '@flotilla/core';

/** Kept back from the time that a callee is told, so that its "too late" still reaches us in time. */
const answerMarginMs = 10;

/** With less time left than this a call is not sent: the answer could not arrive. */
const leastRemainingMs = 5;

/** Longer waits than a day are promises that nobody keeps: what is read and written is capped here. */
export const longestTimeoutMs: number = 24 * 60 * 60 * 1000;

const highestAttempt = 1_000;

/** Printable ASCII, at most 255 characters, no blank at the ends. */
const idempotencyKeyPattern = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

const tracestatePattern = /^[\t\x20-\x7e]{1,4096}$/;
const longestTracestate = 512;

/**
 * The time that a callee is told to have: whole milliseconds, at least 1, at most a day; what is left, less 10 ms.
 * @returns Infinity for a call without deadline
 * @throws FlotillaError DEADLINE_EXCEEDED, with `executed` no, when less than 5 ms are left
 */
export function tellableTimeoutMs({ clock, deadline }: Call): number {
  if (deadline === Infinity) return Infinity;
  const remainingMs = Math.max(0, deadline - instantOf(clock));
  if (remainingMs >= leastRemainingMs)
    return Math.min(longestTimeoutMs, Math.max(1, Math.floor(remainingMs - answerMarginMs)));
  const detail = `not sent: ${remainingMs.toFixed(1)} ms are left, an answer needs at least ${leastRemainingMs}`;
  throw new FlotillaError('DEADLINE_EXCEEDED', detail, { executed: 'no' });
}

/** @throws FlotillaError INVALID_INPUT when it is not 1 to 255 printable characters of ASCII */
export function checkedIdempotencyKey(key: string): string {
  if (idempotencyKeyPattern.test(key)) return key;
  const detail = `an idempotency key is 1 to 255 printable characters of ASCII, got ${JSON.stringify(key.slice(0, 80))}`;
  throw new FlotillaError('INVALID_INPUT', detail);
}

/** @returns undefined for a text that is no key */
export function readIdempotencyKey(text: string | undefined): string | undefined {
  return text !== undefined && idempotencyKeyPattern.test(text) ? text : undefined;
}

export function formatAttempt(attempt: number | undefined): string | undefined {
  return attempt === undefined ? undefined : String(tellableAttempt(attempt));
}

/** What a callee is told of the number of an attempt. */
export function tellableAttempt(attempt: number): number {
  return Math.min(attempt, highestAttempt);
}

/** @returns undefined for a text that is no number from 1 to 1,000 */
export function readAttempt(text: string | undefined): number | undefined {
  if (text === undefined || !/^[1-9][0-9]{0,3}$/.test(text)) return undefined;
  const attempt = Number(text);
  return attempt <= highestAttempt ? attempt : undefined;
}

/** What is over the limit is cut at a member's end, never inside one (W3C Trace Context §3.3.1.5). */
export function readTracestate(text: string | undefined): string {
  if (text === undefined || !tracestatePattern.test(text)) return '';
  if (text.length <= longestTracestate) return text;
  const end = text.lastIndexOf(',', longestTracestate);
  return end < 0 ? '' : text.slice(0, end);
}
