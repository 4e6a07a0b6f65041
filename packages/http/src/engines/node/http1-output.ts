import type { Socket } from 'node:net';

/** Bytes up to this many become text together with what goes before them: one piece to write, where two cost a list. */
const mostTextBytes = 4_096;

/** What is gathered is written at this size at the latest, in characters. */
const mostGathered = 65_536;

const lastChunk = '0\r\n\r\n';

/** What a connection writes. Texts are bytes, a character each; those that are gathered go out in one write. */
export class Http1Output {
  readonly #socket: Socket;
  #gathered = '';
  #gathering = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** True when nothing waits for the client to take it: only then is more work begun for it. */
  get clear(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** From here to {@link flush} texts are gathered. */
  gather(): void {
    this.#gathering = true;
  }

  /** Gathers what the handlers that follow answer before the loop turns. */
  gatherTurn(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    process.nextTick(() => this.flush());
  }

  flush(): void {
    this.#gathering = false;
    this.#writeGathered();
  }

  text(text: string): void {
    if (!this.#gathering) this.#socket.write(text, 'latin1');
    else {
      this.#gathered += text;
      if (this.#gathered.length >= mostGathered) this.#writeGathered();
    }
  }

  /** A text and the bytes behind it. */
  textAndBytes(text: string, bytes: Uint8Array): void {
    if (bytes.length <= mostTextBytes) {
      this.text(text + latin1(bytes));
      return;
    }
    this.#socket.cork();
    this.#writeGathered();
    this.#socket.write(text, 'latin1');
    this.#socket.write(bytes);
    this.#socket.uncork();
  }

  /** @returns false when the client should take some of it first: `drain` of the socket follows */
  bytes(bytes: Uint8Array): boolean {
    this.#writeGathered();
    return this.#socket.write(bytes);
  }

  /** One chunk (RFC 9112 §7.1); small ones of one turn of the loop go out together. @returns as {@link bytes} */
  chunk(bytes: Uint8Array): boolean {
    const size = `${bytes.length.toString(16)}\r\n`;
    if (bytes.length <= mostTextBytes) {
      this.gatherTurn();
      this.text(`${size}${latin1(bytes)}\r\n`);
      return !this.#socket.writableNeedDrain;
    }
    this.#writeGathered();
    this.#socket.cork();
    this.#socket.write(size, 'latin1');
    this.#socket.write(bytes);
    const roomy = this.#socket.write('\r\n', 'latin1');
    this.#socket.uncork();
    return roomy;
  }

  endChunks(): void {
    this.text(lastChunk);
  }

  /** Calls back when the kernel has taken everything: at once where it has; never when the connection breaks first. */
  whenClear(done: () => void): void {
    if (this.clear) done();
    else
      this.#socket.write('', (error) => {
        if (!error) done();
      });
  }

  #writeGathered(): void {
    if (this.#gathered === '') return;
    const text = this.#gathered;
    this.#gathered = '';
    if (this.#socket.writable) this.#socket.write(text, 'latin1');
  }
}

/** A text whose characters are the bytes. */
function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}
