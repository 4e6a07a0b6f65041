import type { StoreChange, StoreStep } from '@flotilla/core';

/** What every engine takes. */
export interface StoreLimits {
  /** Of a key, in bytes of UTF-8. */
  readonly maxKeyBytes: number;
  /** Of a value, in bytes of UTF-8. */
  readonly maxValueBytes: number;
  /** Of a time to live. */
  readonly maxTtlMs: number;
}

/** Limits that hold when nothing is said. */
export const storeLimits: StoreLimits = Object.freeze({
  maxKeyBytes: 1_024, // an operation, a tenant and a caller's key
  maxValueBytes: 1_048_576, // as much as a request may have by default: more belongs in a database
  maxTtlMs: 2_592_000_000, // 30 days: this is no place to keep things
});

const greatestStep = 2 ** 31;

/** @throws RangeError naming the limit */
export function checkKey(key: string, { maxKeyBytes }: StoreLimits): void {
  const length = bytesOf(key);
  if (length < 1 || length > maxKeyBytes || !key.isWellFormed()) {
    throw new RangeError(`a key must be well-formed text of 1 to ${maxKeyBytes} bytes, got ${length} bytes`);
  }
}

/** @throws RangeError naming the limit */
export function checkValue(key: string, value: string, { maxValueBytes }: StoreLimits): void {
  const length = bytesOf(value);
  if (length > maxValueBytes) {
    throw new RangeError(`the value of "${key}" has ${length} bytes; maxValueBytes is ${maxValueBytes}`);
  }
  if (!value.isWellFormed())
    throw new RangeError(`the value of "${key}" is no well-formed text: it has half characters`);
}

/** @throws RangeError naming the limit */
export function checkTtl(ttlMs: number, { maxTtlMs }: StoreLimits): void {
  if (!(ttlMs >= 1 && ttlMs <= maxTtlMs)) throw new RangeError(`ttlMs must be from 1 to ${maxTtlMs}, got ${ttlMs}`);
}

/** @throws RangeError naming the limit */
export function checkChange(key: string, { expected, value, ttlMs }: StoreChange, limits: StoreLimits): void {
  checkKey(key, limits);
  if (expected !== undefined) checkValue(key, expected, limits);
  if (value === undefined) return;
  checkValue(key, value, limits);
  checkTtl(ttlMs, limits);
}

/** @throws RangeError naming the limit */
export function checkStep(key: string, { by = 1, max = Infinity, ttlMs }: StoreStep, limits: StoreLimits): void {
  checkKey(key, limits);
  checkTtl(ttlMs, limits);
  if (!(Number.isInteger(by) && by >= 1 && by <= greatestStep)) {
    throw new RangeError(`by must be a whole number from 1 to ${greatestStep}, got ${by}`);
  }
  if (!(max >= 0)) throw new RangeError(`max must be a number from 0 on, got ${max}`);
}

/** Of UTF-8. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
