import type { ByteChannel, ByteListener } from '../../byte-channel.ts';

/** What happens to bytes on their way; the answer is what arrives instead, piece by piece. */
export type Transit = (bytes: Buffer) => readonly Buffer[];

/** Runs something later. */
export type Defer = (run: () => void) => void;

const laterTurn: Defer = (run) => void setImmediate(run);

/** One end of a {@link BytePair}. */
class End implements ByteChannel {
  peer: End | undefined;
  transit: Transit | undefined;
  readonly #pair: BytePair;
  #listener: ByteListener | undefined;
  readonly #arriving: Buffer[] = [];
  #queued = 0;
  #paused = false;
  #isScheduled = false;
  #ending = false;
  #closed = false;

  readonly #defer: Defer;

  constructor(pair: BytePair, defer: Defer) {
    this.#pair = pair;
    this.#defer = defer;
  }

  get queuedBytes(): number {
    return this.#closed ? 0 : this.#queued;
  }

  listen(listener: ByteListener): void {
    this.#listener = listener;
  }

  write(bytes: Buffer): boolean {
    if (this.#closed || this.#ending) return true;
    const copy = Buffer.from(bytes);
    const pieces = this.transit ? this.transit(copy) : [copy];
    for (const piece of pieces) {
      this.#queued += piece.length;
      this.peer?.arrive(piece);
    }
    return true;
  }

  afterTurn(run: () => void): void {
    this.#defer(run);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** Looks again whether something can arrive. */
  wake(): void {
    this.#schedule();
  }

  end(): void {
    this.#ending = true;
    this.peer?.ended();
  }

  destroy(): void {
    this.close();
    this.peer?.ended();
  }

  /** The other end wrote. */
  arrive(bytes: Buffer): void {
    if (this.#closed) return;
    this.#arriving.push(bytes);
    this.#schedule();
  }

  /** The other end writes no more: what it wrote still arrives. */
  ended(): void {
    this.#ending = true;
    this.#schedule();
  }

  close(cause?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#arriving.length = 0;
    this.#listener?.closed(cause);
  }

  taken(bytes: number): void {
    this.#queued -= bytes;
    if (this.#queued === 0 && !this.#closed) this.#listener?.drained();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#closed) return;
    this.#isScheduled = true;
    this.#defer(() => {
      this.#isScheduled = false;
      this.deliver();
    });
  }

  deliver(): void {
    while (!this.#closed && !this.#paused && !this.#pair.stalled && this.#arriving.length > 0) {
      const bytes = this.#arriving.shift() as Buffer;
      this.peer?.taken(bytes.length);
      this.#listener?.received(bytes);
    }
    if (this.#ending && this.#arriving.length === 0 && !this.#pair.stalled) this.close();
  }
}

/**
 * Two ends of a connection in one process. What one writes arrives at the other in a later turn of the event loop, in
 * order, copied. A test may stall it, cut it, and change what arrives.
 */
export class BytePair {
  readonly #client: End;
  readonly #server: End;
  #stalled = false;

  /**
   * @param toClient when what is written arrives at the client, and when what a turn has gathered is sent. Default: in a
   * later turn of the event loop
   * @param toServer the same for the other direction
   */
  constructor(toClient: Defer = laterTurn, toServer: Defer = toClient) {
    this.#client = new End(this, toClient);
    this.#server = new End(this, toServer);
    this.#client.peer = this.#server;
    this.#server.peer = this.#client;
  }

  get client(): ByteChannel {
    return this.#client;
  }

  get server(): ByteChannel {
    return this.#server;
  }

  /** Whether nothing arrives, although both ends are open: a network that swallows everything for a while. */
  get stalled(): boolean {
    return this.#stalled;
  }

  set stalled(stalled: boolean) {
    this.#stalled = stalled;
    if (stalled) return;
    this.#client.wake();
    this.#server.wake();
  }

  /** What becomes of the bytes that the client, or the server, writes from now on. */
  alter(side: 'client' | 'server', transit: Transit | undefined): void {
    (side === 'client' ? this.#client : this.#server).transit = transit;
  }

  /** The connection breaks: what is on its way is lost. */
  cut(cause: Error = new Error('the connection was reset')): void {
    this.#client.close(cause);
    this.#server.close(cause);
  }
}
