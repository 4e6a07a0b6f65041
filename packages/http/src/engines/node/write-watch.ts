import type { Socket } from 'node:net';
import type { ListenerLimits } from './options.ts';

/** Notices a client that takes no byte of its answer. Reads the socket's counters; costs nothing between sweeps. */
export class WriteWatch {
  readonly #socket: Socket;
  readonly #limits: ListenerLimits;
  #taken = -1;
  #since: number;

  constructor(socket: Socket, limits: ListenerLimits, now: number) {
    this.#socket = socket;
    this.#limits = limits;
    this.#since = now;
  }

  /** True when bytes are waiting and none has gone for `writeStallMs`. */
  stalled(now: number): boolean {
    const waiting = this.#socket.writableLength;
    // `bytesWritten` includes what waits; the difference is what the kernel took.
    const taken = this.#socket.bytesWritten - waiting;
    if (waiting === 0 || taken !== this.#taken) {
      this.#taken = taken;
      this.#since = now;
      return false;
    }
    return now - this.#since >= this.#limits.writeStallMs;
  }
}
