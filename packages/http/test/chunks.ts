/** A sender of chunks that tells how many were taken, and whether it was left before its end. */
export function chunked(chunks: readonly (string | Uint8Array)[], failure?: Error) {
  let taken = 0;
  let ended = false;
  let closed = false;
  async function* send(): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of chunks) {
        taken++;
        yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
      }
      ended = true;
      if (failure) throw failure;
    } finally {
      closed = true;
    }
  }
  return { body: send(), seen: () => ({ taken, left: closed && !ended }) };
}

/** `bytes` in pieces, cut at some places; pieces may be empty. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...sorted, bytes.length].map((end, index) => bytes.slice(sorted[index - 1] ?? 0, end));
}
