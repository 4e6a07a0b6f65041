/**
 * Port: a connection that carries bytes both ways. Engines: a socket (`@flotilla/rpc/rsocket/node`), a pair in memory
 * (`@flotilla/rpc/rsocket/memory`).
 */
export interface ByteChannel {
  /** What to call with whatever happens; set once, before anything comes. */
  listen(listener: ByteListener): void;
  /** @returns true when the bytes are out of hand, so that the caller may overwrite them; false when they are kept */
  write(bytes: Buffer): boolean;
  /** Bytes that were written and that the system has not taken yet. */
  readonly queuedBytes: number;
  /** Runs it when all that has come has been worked on, in the same turn of the event loop: then what was gathered is sent. */
  afterTurn(run: () => void): void;
  /** Stops reading, so that the peer has to wait. */
  pause(): void;
  resume(): void;
  /** Closes in good order: what was written still arrives. */
  end(): void;
  /** Breaks off. */
  destroy(): void;
}

/** Who hears of a {@link ByteChannel}. */
export interface ByteListener {
  /** Bytes came. They are the listener's only until it returns. */
  received(bytes: Buffer): void;
  /** All that was written has been taken. Called after {@link ByteChannel.queuedBytes} was above 0. */
  drained(): void;
  /** Nothing comes any more, and nothing can be sent. Called once. */
  closed(cause?: Error): void;
}
