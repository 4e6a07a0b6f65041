import type { MessagePort } from 'node:worker_threads';
import type { ByteChannel, ByteListener } from '@flotilla/rpc/rsocket';

/** What goes over the port: bytes; how many of them have been taken; that nothing follows. */
type PortMessage = Uint8Array | number | 'end';

/**
 * A {@link ByteChannel} between two threads. A port itself has no back-pressure: each side tells how many bytes it has taken,
 * so that the other knows how many are waiting.
 */
export class PortChannel implements ByteChannel {
  readonly #port: MessagePort;
  #listener: ByteListener | undefined;
  #queued = 0;
  #paused = false;
  /** What came while it was paused. */
  #held: Uint8Array[] = [];
  #ended = false;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: PortMessage) => this.#hear(message));
    port.on('close', () => this.#close()); // by either side, also when its thread has died
  }

  get queuedBytes(): number {
    return this.#queued;
  }

  listen(listener: ByteListener): void {
    this.#listener = listener;
  }

  write(bytes: Buffer): boolean {
    if (this.#ended || this.#closed) return true;
    const copy = new Uint8Array(bytes); // exactly these: what is handed over is gone here
    this.#queued += copy.byteLength;
    this.#port.postMessage(copy, [copy.buffer]);
    return true;
  }

  afterTurn(run: () => void): void {
    setImmediate(run);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#take(bytes);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#port.postMessage('end');
    this.#port.close(); // what was posted still arrives
  }

  destroy(): void {
    this.#ended = true;
    this.#port.close();
  }

  #hear(message: PortMessage): void {
    if (typeof message === 'number') {
      this.#queued -= message;
      if (this.#queued === 0) this.#listener?.drained();
    } else if (message === 'end') {
      this.#close();
    } else {
      this.#take(message);
    }
  }

  #take(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#paused) {
      this.#held.push(bytes);
      return;
    }
    this.#port.postMessage(bytes.byteLength);
    this.#listener?.received(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = [];
    this.#port.close();
    this.#listener?.closed();
  }
}
