import { type Call, FlotillaError, within } from '@flotilla/core';
import type { HttpBody } from './exchange.ts';
import { GrowingBytes } from './growing-bytes.ts';

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

/** True for a body that can be sent again: none, bytes, or a stream that says so of itself, since it begins anew each time. */
export function isRepeatable(body: HttpBody): boolean {
  if (body === undefined || body instanceof Uint8Array) return true;
  return 'repeatable' in body && body.repeatable === true;
}

/**
 * Closes what a stream holds that nobody will read any more, also when nobody has begun to. Streams of Node end with
 * `destroy`, streams of the web with `cancel`; anything else holds nothing before it is read.
 */
export function releaseStream(stream: object): void {
  if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
  else if ('cancel' in stream && typeof stream.cancel === 'function' && !('locked' in stream && stream.locked)) {
    const { cancel } = stream;
    Promise.try(() => cancel.call(stream)).catch(() => undefined);
  }
}

/** What {@link limitBody} allows. */
export interface BodyLimit {
  readonly maxBytes: number;
  /** Makes the error of the first byte over it. Default: BODY_TOO_LARGE naming the limit. */
  readonly over?: () => FlotillaError;
  /** Reading ends with it. */
  readonly call: Call;
}

/** A body that may not be longer than a limit, as a stream that is read once; then its sender is told to stop. */
export async function* limitBody(
  body: HttpBody,
  { maxBytes, over = () => tooLarge(maxBytes), call }: BodyLimit,
): AsyncGenerator<Uint8Array, undefined> {
  const chunks = bodyStream(body)[Symbol.asyncIterator]();
  let left = maxBytes;
  try {
    for (;;) {
      const next = await within(call, chunks.next());
      if (next.done) return;
      left -= next.value.byteLength;
      if (left < 0) throw over();
      yield next.value;
    }
  } finally {
    leave(chunks);
  }
}

async function gather(chunks: AsyncIterator<Uint8Array>, maxBytes: number, call: Call): Promise<Uint8Array> {
  const held = new GrowingBytes();
  try {
    for (;;) {
      const next = await within(call, chunks.next());
      if (next.done) return held.take();
      if (held.length + next.value.byteLength > maxBytes) throw tooLarge(maxBytes);
      held.append(next.value);
    }
  } catch (error) {
    leave(chunks);
    throw error;
  }
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
