import { type ErrorCode, type ErrorDetails, errorRow, FlotillaError } from '@flotilla/core';
import { rsocketError } from './frame.ts';

/** How a code of an ERROR frame is called here. The way back is `rsocketError` in core's error table. */
const codes: Readonly<Record<number, ErrorCode>> = Object.freeze({
  [rsocketError.INVALID_SETUP]: 'CONNECT_FAILED',
  [rsocketError.UNSUPPORTED_SETUP]: 'CONNECT_FAILED',
  [rsocketError.REJECTED_SETUP]: 'CONNECT_FAILED',
  [rsocketError.CONNECTION_ERROR]: 'CONNECTION_LOST',
  [rsocketError.CONNECTION_CLOSE]: 'CONNECTION_LOST',
  [rsocketError.APPLICATION_ERROR]: 'INTERNAL',
  [rsocketError.REJECTED]: 'UNAVAILABLE',
  [rsocketError.CANCELED]: 'CANCELLED',
  [rsocketError.INVALID]: 'INVALID_INPUT',
});

/** Who was refused may try again elsewhere: nothing of these was processed. */
const notProcessed: ReadonlySet<number> = new Set([
  rsocketError.INVALID_SETUP,
  rsocketError.UNSUPPORTED_SETUP,
  rsocketError.REJECTED_SETUP,
  rsocketError.REJECTED,
]);

/**
 * The code of the ERROR frame for an error of ours. Work that certainly was not done is REJECTED whatever the table
 * says of its code, unless the request itself is at fault; work that may have been done never is.
 */
export function rsocketCodeOf(error: FlotillaError): number {
  const name = errorRow(error.code)?.rsocketError;
  if (error.executed === 'no') return name === 'INVALID' ? rsocketError.INVALID : rsocketError.REJECTED;
  return name === 'CANCELED' ? rsocketError.CANCELED : rsocketError.APPLICATION_ERROR;
}

/** An ERROR frame whose data says no more than its text: of Spring, or of a peer's engine. */
export function errorOfFrame(code: number, text: string, details: ErrorDetails = {}): FlotillaError {
  const name = codes[code] ?? 'INTERNAL';
  const executed = notProcessed.has(code) ? 'no' : code === rsocketError.INVALID ? 'no' : 'unknown';
  const said = text === '' ? `no reason given (RSocket error 0x${code.toString(16)})` : text;
  return new FlotillaError(name, said, { executed, fromPeer: true, ...details });
}

/** Is it a code that Protocol.md allows on a stream? */
export function isApplicationCode(code: number): boolean {
  return code >= 0x301 && code <= 0xffff_fffe;
}
