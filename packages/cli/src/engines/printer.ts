import type { Writable } from 'node:stream';

/** Where the words of a command go. */
export interface Printer {
  readonly print: (text: string) => void;
  /** Aborted when nobody reads any more (`flotilla watch | head -1`): what only follows something ends then. */
  readonly unread: AbortSignal;
}

/**
 * Prints for as long as somebody reads. A command whose reader leaves early goes on with its work in silence, and ends like any
 * other: that a table was long enough is no failure. Output that cannot be written for another reason, such as a full disk, is one.
 * @param failed is told once.
 */
export function createPrinter(output: Writable, failed: (reason: string) => void): Printer {
  const unread = new AbortController();
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (unread.signal.aborted) return;
    if (error.code !== 'EPIPE') failed(error.message);
    unread.abort();
  });
  return {
    print: (text) => {
      if (!unread.signal.aborted) output.write(`${text}\n`);
    },
    unread: unread.signal,
  };
}
