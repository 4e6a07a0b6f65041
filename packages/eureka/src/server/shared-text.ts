import { promisify } from 'node:util';
import { constants, gzip, gzipSync } from 'node:zlib';

const compress = promisify(gzip);
/** Up to here compressing takes less of the event loop than handing the text to another thread and back. */
const smallBytes = 16_384;
/** From here on speed counts for more than the last tenth of size. */
const largeBytes = 1_048_576;

/** A text that is sent to many: its bytes, and those compressed, are made once, the latter when somebody wants them. */
export class SharedText {
  readonly bytes: Uint8Array;
  #gzipped: Promise<Uint8Array> | Uint8Array | undefined;

  constructor(text: string | Uint8Array) {
    this.bytes = typeof text === 'string' ? Buffer.from(text) : text;
  }

  /** Compressed as gzip (RFC 1952); long texts on another thread. */
  gzipped(): Promise<Uint8Array> | Uint8Array {
    this.#gzipped ??= this.#gzip();
    return this.#gzipped;
  }

  #gzip(): Promise<Uint8Array> | Uint8Array {
    const { length } = this.bytes;
    if (length <= smallBytes) return gzipSync(this.bytes);
    return compress(this.bytes, length < largeBytes ? {} : { level: constants.Z_BEST_SPEED });
  }
}
