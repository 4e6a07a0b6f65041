import type { Socket } from 'node:net';
import { FlotillaError, toFlotillaError } from '@flotilla/core';
import { ChunkQueue } from '../chunk-queue.ts';
import { Pump } from '../pump.ts';

/**
 * A socket that has left HTTP: bytes both ways, at the pace of whoever takes them.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | listening: what comes waits, up to the bound of a queue | reading | flowing, aborted |
 * | flowing: {@link send} was called | reading, writing; each direction ends by itself | over, aborted |
 * | over: both directions ended, and what came was read | nothing | none |
 * | aborted: one side broke off, or was left | nothing | none |
 */
export class SocketTunnel {
  /** What comes from the peer. */
  readonly incoming: ChunkQueue;
  readonly #socket: Socket;
  readonly #lost: () => FlotillaError;
  readonly #over: (outcome: FlotillaError | undefined) => void;
  #pump: Pump | undefined;
  #received = false;
  #sent = false;
  #closed = false;
  #settled = false;
  #isOver = false;

  /**
   * @param head bytes that came right behind the handshake
   * @param lost what a connection that breaks is called here
   * @param over told once how it ended
   */
  constructor(
    socket: Socket,
    head: Uint8Array,
    lost: () => FlotillaError,
    over: (outcome: FlotillaError | undefined) => void,
  ) {
    this.#socket = socket;
    this.#lost = lost;
    this.#over = over;
    this.incoming = new ChunkQueue({
      roomy: () => socket.resume(),
      // Before it flows, nobody has left anything: a handler that does not upgrade may put its request aside.
      left: () => this.#pump && this.abort(new FlotillaError('CANCELLED', 'one side left the connection')),
      done: (error) => this.#read(error),
    });
    // Whoever opened it may not have asked for half-open connections; here each direction ends by itself.
    socket.allowHalfOpen = true;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (!this.incoming.push(chunk)) socket.pause();
    });
    socket.once('end', () => {
      this.#received = true;
      this.incoming.end();
    });
    socket.on('drain', () => this.#pump?.resume());
    socket.on('error', nothing); // `close` follows
    socket.once('close', () => this.#gone());
    if (this.incoming.push(head)) socket.resume();
    else socket.pause();
    if (socket.destroyed) this.#gone();
  }

  /** The peer closed its direction already. */
  get received(): boolean {
    return this.#received;
  }

  /** Begins to send. Its end half-closes the connection. */
  send(body: AsyncIterable<Uint8Array>): void {
    const socket = this.#socket;
    this.#pump = new Pump(body, {
      push: (chunk) => socket.write(chunk),
      end: () => {
        this.#sent = true;
        socket.end();
      },
      fail: (thrown) => this.abort(toFlotillaError(thrown)),
    });
    if (this.#isOver) this.#pump.stop();
    else this.#pump.start();
  }

  /** Breaks the connection; whoever reads gets `reason`. */
  abort(reason: FlotillaError): void {
    if (this.#isOver) return;
    this.#end(reason);
    this.incoming.abort(reason);
    // A reset: an orderly close would look like the end of this direction. TLS has an end of its own.
    if ('encrypted' in this.#socket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #read(error: FlotillaError | undefined): void {
    this.#settled = true;
    if (error) this.#end(error);
    else this.#endIfOver();
  }

  #gone(): void {
    this.#closed = true;
    if (this.#received && this.#sent) this.#endIfOver();
    else {
      const error = this.#lost();
      this.#pump?.stop();
      this.incoming.fail(error);
      if (this.#settled) this.#end(error);
    }
  }

  #endIfOver(): void {
    if (this.#closed && this.#settled) this.#end(undefined);
  }

  #end(outcome: FlotillaError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pump?.stop();
    this.#over(outcome);
  }
}

function nothing(): void {}
