import type { IncomingMessage } from 'node:http';

/**
 * Throws away what still comes of a request that is not served, up to a bound; the rest stays in the kernel. Without
 * that a client that is still sending may be reset before it has read its answer.
 */
export function discard(request: IncomingMessage, maxBytes: number): void {
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > maxBytes) request.pause();
  });
}
