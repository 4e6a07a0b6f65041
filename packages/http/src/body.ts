import { type Call, FlotillaError, within } from '@flotilla/core';
import type { HttpBody } from './exchange.ts';

/**
 * Reads a whole body into memory.
 *
 * @param maxBytes the most that is taken; at the first byte over it the sender is told to stop
 * @param call reading ends with it: at its deadline or when it is cancelled, with the reason
 * @returns the bytes; empty for a request without body. Given all at once, they are the sender's own array.
 * @throws FlotillaError BODY_TOO_LARGE, or whatever the body's stream rejects with
 */
export async function readBody(body: HttpBody, maxBytes: number, call: Call): Promise<Uint8Array> {
  call.throwIfCancelled();
  if (body === undefined) return new Uint8Array(0);
  if (!(body instanceof Uint8Array)) return gather(body[Symbol.asyncIterator](), maxBytes, call);
  if (body.byteLength > maxBytes) throw tooLarge(maxBytes);
  return body;
}

/** A body of any kind as a stream: one chunk for bytes, none for no body or an empty one. */
export async function* bodyStream(body: HttpBody): AsyncIterable<Uint8Array> {
  if (body === undefined) return;
  if (!(body instanceof Uint8Array)) yield* body;
  else if (body.byteLength > 0) yield body;
}

/** Grows one array instead of keeping the chunks: a sender that cuts its body into single bytes costs no more. */
async function gather(chunks: AsyncIterator<Uint8Array>, maxBytes: number, call: Call): Promise<Uint8Array> {
  let held: Uint8Array = new Uint8Array(0);
  let bytes = 0;
  try {
    for (;;) {
      const next = await within(call, chunks.next());
      if (next.done) return held.subarray(0, bytes);
      if (bytes + next.value.byteLength > maxBytes) throw tooLarge(maxBytes);
      held = append(held, bytes, next.value);
      bytes += next.value.byteLength;
    }
  } catch (error) {
    leave(chunks);
    throw error;
  }
}

/** @returns the array that holds the first `bytes` of `held` and then `chunk`; a first chunk is not copied. */
function append(held: Uint8Array, bytes: number, chunk: Uint8Array): Uint8Array {
  if (bytes === 0) return chunk;
  const needed = bytes + chunk.byteLength;
  let target = held;
  if (needed > held.byteLength) {
    target = new Uint8Array(Math.max(needed, 2 * held.byteLength));
    target.set(held.subarray(0, bytes));
  }
  target.set(chunk, bytes);
  return target;
}

/** Tells the sender to stop. Not awaited: a source that hangs would hang us, and its failure is no news any more. */
function leave(chunks: AsyncIterator<Uint8Array>): void {
  Promise.try(() => chunks.return?.()).catch(() => undefined);
}

function tooLarge(maxBytes: number): FlotillaError {
  return new FlotillaError('BODY_TOO_LARGE', `the body is larger than the limit of ${maxBytes} bytes`, {
    data: { maxBytes },
  });
}
