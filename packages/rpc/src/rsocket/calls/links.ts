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
  /**
   * Hears what the peer says of itself in METADATA_PUSH, until it leaves by what is returned; bytes are valid during the call.
   * Absent: nothing is heard.
   */
  onPush?(listener: (metadata: Buffer) => void): () => void;
  /** Somebody is said to have come to this address: the next call may try to connect at once, whatever failed before. */
  renew?(): void;
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
  /** Hears every METADATA_PUSH on these connections that is none of the engine's own. */
  readonly pushed?: ((metadata: Buffer) => void) | undefined;
  /** As of an `HttpTarget`: which addresses are not dialled, and whose certificates are taken. Default: none, those of the process. */
  readonly refuses?: ((address: string) => string | undefined) | undefined;
  readonly ca?: string | undefined;
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
  const shared = new Map<string, Shared>();
  return {
    connect(target) {
      if (target.responder) return new Share(open(connector, target)); // who answers on it has it for itself
      // Who watches its addresses shares with nobody who does not.
      const terms = `${target.refuses ? 'guarded' : 'any'} ${target.ca ?? ''}`;
      const key = `${target.protocol}://${target.host}:${target.port} ${terms}`;
      const known = shared.get(key);
      known?.links.renew?.(); // who comes anew was told of an instance here
      const entry = known ?? open(connector, target);
      shared.set(key, entry);
      return new Share(entry, () => shared.delete(key));
    },
  };
}

interface Shared {
  readonly links: RSocketLinks;
  readonly listeners: Set<(metadata: Buffer) => void>;
  users: number;
}

function open(connector: RSocketConnector, target: LinkTarget): Shared {
  const listeners = new Set<(metadata: Buffer) => void>();
  const pushed = (metadata: Buffer): void => {
    for (const listener of listeners) listener(metadata);
  };
  return { links: connector.connect({ ...target, pushed }), listeners, users: 0 };
}

/** Links that others use too: calls in hand end with the last one who leaves. */
class Share implements RSocketLinks {
  readonly #shared: Shared;
  readonly #links: RSocketLinks;
  readonly #lastLeft: () => void;
  #leaving: Promise<void> | undefined;

  constructor(shared: Shared, lastLeft: () => void = nothing) {
    shared.users++;
    this.#shared = shared;
    this.#links = shared.links;
    this.#lastLeft = lastLeft;
  }

  get target(): string {
    return this.#links.target;
  }

  get status(): EndpointStatus {
    return this.#leaving ? 'closed' : this.#links.status;
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

  onPush(listener: (metadata: Buffer) => void): () => void {
    const { listeners } = this.#shared;
    const own = (metadata: Buffer): void => listener(metadata); // one may listen twice
    listeners.add(own);
    return () => listeners.delete(own);
  }

  close(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  #leave(): Promise<void> {
    if (--this.#shared.users > 0) return Promise.resolve();
    this.#lastLeft();
    return this.#links.close();
  }
}

function nothing(): void {}
