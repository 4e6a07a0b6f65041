import type { ByteChannel } from '../src/rsocket/byte-channel.ts';

/** A channel that is never full: what is written to it is copied into `chunks`. */
export function collecting(chunks: Buffer[]): ByteChannel {
  return {
    queuedBytes: 0,
    listen() {},
    write(bytes) {
      chunks.push(Buffer.from(bytes));
      return true;
    },
    afterTurn() {},
    pause() {},
    resume() {},
    end() {},
    destroy() {},
  };
}
