import { FlotillaError } from '@flotilla/core';

/** An input that JSON cannot say. */
export function inputUnsayable(operation: string, cause: unknown): FlotillaError {
  return new FlotillaError('INVALID_INPUT', `${operation} cannot be sent: it is no JSON`, { cause });
}

/**
 * The same of one element of many.
 * @param number from 0 on: what the callee did with those before it, nobody knows
 */
export function elementUnsayable(operation: string, number: number, cause: unknown): FlotillaError {
  const detail = `element ${number} of ${operation} cannot be sent: it is no JSON`;
  return new FlotillaError('INVALID_INPUT', detail, { executed: number === 0 ? 'no' : 'unknown', cause });
}
