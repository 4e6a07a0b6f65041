import type { Call, EndpointStatus } from '@flotilla/core';
import type { RSocketConnection } from '../connection.ts';

/** Port: connections to one peer. Engines: `RSocketClient` on sockets, and the memory network. */
export interface RSocketLinks {
  readonly target: string;
  readonly status: EndpointStatus;
  /** Requests without an end, and calls that wait for a connection. */
  readonly outstanding: number;
  /** A connection that takes a request now; undefined when there is none: then {@link connect}. */
  current(): RSocketConnection | undefined;
  /** Waits for a connection, no longer than the call lasts. Rejects with CONNECT_FAILED or UNAVAILABLE, `executed: no`. */
  connect(call: Call): Promise<RSocketConnection>;
  /** Takes no more requests; lets those in hand end, then closes. */
  close(): Promise<void>;
}
