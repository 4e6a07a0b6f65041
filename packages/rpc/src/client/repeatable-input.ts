import { type ByteSource, isByteSource } from '../contract/index.ts';
import type { OperationRequest } from './operation-request.ts';

/**
 * Can this be sent again after a failed attempt? A stream of bytes that was read is gone; JSON, bytes and blobs stay; the
 * elements of `upload` and `duplex` can be as long as few of them were taken, which only the attempt itself finds out.
 */
export function isRepeatableInput({ operation: { mapping }, input }: OperationRequest): boolean {
  const { body } = mapping;
  if (!body || !('field' in body) || typeof input !== 'object' || input === null) return true;
  const carried = (input as Readonly<Record<string, unknown>>)[body.field];
  if (Array.isArray(carried)) return carried.every(staysTheSame);
  return staysTheSame(carried);
}

function staysTheSame(given: unknown): boolean {
  const source = isByteSource(given) ? given : (given as { readonly content?: ByteSource } | undefined)?.content;
  return source === undefined || source instanceof Uint8Array || !(Symbol.asyncIterator in source);
}
