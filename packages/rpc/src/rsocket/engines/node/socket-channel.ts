import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '@flotilla/core';
import type { ByteChannel, ByteListener } from '../../byte-channel.ts';
import { afterTurn } from './after-turn.ts';

/** How long a peer may take to close its side after we closed ours. */
const lingerMs = 2_000;

/** Where a socket that reads into a buffer of its owner hands over what it has read. */
export interface SharedReading {
  received: ((bytes: Buffer) => void) | undefined;
}

/** A {@link ByteChannel} over a socket. */
export class SocketChannel implements ByteChannel {
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** TLS may hold what it is given until a later turn, without a word: it gets copies. */
  readonly #copies: boolean;
  #listener: ByteListener | undefined;
  #owed = false;
  #ended = false;
  #linger: Timer | undefined;

  /** @param reading of a socket that emits no `data` */
  constructor(socket: Socket, clock: Clock, reading?: SharedReading) {
    this.#socket = socket;
    this.#clock = clock;
    this.#copies = socket instanceof TLSSocket;
    socket.setNoDelay(true);
    const received = (chunk: Buffer): void => {
      if (!this.#ended) this.#listener?.received(chunk);
    };
    if (reading) reading.received = received;
    else socket.on('data', received);
    socket.on('end', () => this.#closed());
    socket.on('error', (cause: Error) => this.#closed(cause));
    socket.on('close', () => {
      this.#linger?.cancel();
      this.#closed();
    });
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  listen(listener: ByteListener): void {
    this.#listener = listener;
  }

  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    if (this.#ended || socket.destroyed) return true;
    socket.write(this.#copies ? Buffer.from(bytes) : bytes, this.#written);
    if (socket.writableLength === 0) return true; // the kernel has copied it
    this.#owed = true;
    return this.#copies;
  }

  readonly afterTurn: (run: () => void) => void = afterTurn;

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
    this.#socket.resume(); // what still comes is thrown away, so that the peer's end is seen
    this.#linger = this.#clock.setTimer(lingerMs, () => this.#socket.destroy(), { background: true });
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  readonly #written = (): void => {
    if (!this.#owed || this.#socket.writableLength > 0) return;
    this.#owed = false;
    this.#listener?.drained();
  };

  #closed(cause?: Error): void {
    const listener = this.#listener;
    this.#listener = undefined;
    if (this.#ended) this.#socket.destroy();
    listener?.closed(cause);
  }
}
