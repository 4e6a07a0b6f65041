import { errorRow, FlotillaError, toFlotillaError } from '@flotilla/core';

/** Codes that speak of the platform's own construction: to a caller from outside they all are INTERNAL. */
const internalCodes: ReadonlySet<string> = new Set([
  'START_FAILED',
  'ADDRESS_IN_USE',
  'CONFIG_INVALID',
  'CONTRACT_INVALID',
  'PACKAGE_MISSING',
  'STORE_FAILED',
]);

/**
 * What a caller outside may know of a failure of the gateway or on the way to an upstream: its code, what the code
 * means, whether and when to try again. The text and the data of an error may name services, addresses and limits of
 * the inside; they stay in the log, under the trace id that the problem carries.
 *
 * Answers of upstreams are not made into errors at all: they pass as they are, problems included.
 */
export function outsideProblem(thrown: unknown): FlotillaError {
  const { code, executed, retryAfterMs } = toFlotillaError(thrown);
  const row = internalCodes.has(code) ? undefined : errorRow(code);
  if (!row) return new FlotillaError('INTERNAL', errorRow('INTERNAL')?.meaning ?? '', { executed });
  return new FlotillaError(code, row.meaning, {
    executed,
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
  });
}
