import type { Call, EndpointStatus } from '@flotilla/core';
import type { RSocketPeer } from '../peer.ts';
import type { RSocketResponder } from '../responder-port.ts';

/** Port: connections to one peer. Engines: `RSocketClient` on sockets, and the memory connector. */
export interface RSocketLinks {
  readonly target: string;
  readonly status: EndpointStatus;
  /** Requests without an end, and calls that wait for a connection. */
  readonly outstanding: number;
  /** A connection that takes a request now; undefined when there is none: then {@link connect}. */
  current(): RSocketPeer | undefined;
  /** Waits for a connection, no longer than the call lasts. Rejects with CONNECT_FAILED or UNAVAILABLE, `executed: no`. */
  connect(call: Call): Promise<RSocketPeer>;
  /** Takes no more requests; lets those in hand end, then closes. */
  close(): Promise<void>;
}

/** Whom to connect to. */
export interface LinkTarget {
  /** `rsockets` is RSocket over TLS. */
  readonly protocol: 'rsocket' | 'rsockets';
  readonly host: string;
  readonly port: number;
  /** Answers what the peer asks on these connections. Default: it is refused. */
  readonly responder?: RSocketResponder | undefined;
}

/** Port: makes connections to peers. Nothing is opened before the first call. */
export interface RSocketConnector {
  connect(target: LinkTarget): RSocketLinks;
}

/**
 * A connector whose connections to one peer are shared by all who call it: one connection per pair of processes, however
 * many contracts there are between them. They close when the last one of those who share them has closed.
 */
export function sharedConnector(connector: RSocketConnector): RSocketConnector {
  const shared = new Map<string, { readonly links: RSocketLinks; users: number }>();
  return {
    connect(target) {
      if (target.responder) return connector.connect(target); // who answers on it has it for itself
      const key = `${target.protocol}://${target.host}:${target.port}`;
      const entry = shared.get(key) ?? { links: connector.connect(target), users: 0 };
      shared.set(key, entry);
      entry.users++;
      let closing: Promise<void> | undefined;
      const leave = (): Promise<void> => {
        if (--entry.users > 0) return Promise.resolve();
        shared.delete(key);
        return entry.links.close();
      };
      return new Share(entry.links, () => {
        closing ??= leave();
        return closing;
      });
    },
  };
}

/** Links that others use too: calls in hand end with the last one who leaves. */
class Share implements RSocketLinks {
  readonly #links: RSocketLinks;
  readonly #leave: () => Promise<void>;
  #left = false;

  constructor(links: RSocketLinks, leave: () => Promise<void>) {
    this.#links = links;
    this.#leave = leave;
  }

  get target(): string {
    return this.#links.target;
  }

  get status(): EndpointStatus {
    return this.#left ? 'closed' : this.#links.status;
  }

  get outstanding(): number {
    return this.#links.outstanding;
  }

  current(): RSocketPeer | undefined {
    return this.#links.current();
  }

  connect(call: Call): Promise<RSocketPeer> {
    return this.#links.connect(call);
  }

  close(): Promise<void> {
    this.#left = true;
    return this.#leave();
  }
}
