import type { Socket } from 'node:net';
import type { FlotillaError } from '@flotilla/core';

/** A protocol that a listener speaks. Several share one port: their first bytes tell them apart. */
export interface Tongue {
  readonly name: string;
  /** Do a connection's first bytes belong to this protocol? `more`: they may, but too few have come. */
  detect(bytes: Uint8Array): 'yes' | 'no' | 'more';
  /**
   * Takes over a connection; the bytes that were looked at are back in the socket.
   * @param openedAt when the listener accepted it, on its clock.
   */
  accept(socket: Socket, openedAt: number): TongueConnection;
}

/** One connection in the hands of its protocol. The listener owns its time and its end. */
export interface TongueConnection {
  /** Requests in hand. */
  readonly inFlight: number;
  /**
   * Finishes work in hand, then closes. Without work it closes if it has been quiet for `drainQuietMs` and if it
   * `mayClose` at this moment; the listener asks again until it has.
   */
  drain(now: number, mayClose: boolean): void;
  /** Looks at its time limits. Called every `sweepMs`. */
  sweep(now: number): void;
  /** Cancels work in hand with `reason` and closes at once. */
  destroy(reason: FlotillaError): void;
}
