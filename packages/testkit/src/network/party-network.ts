import { type Call, type Clock, type Endpoint, FlotillaError, formatHostPort, type Random } from '@flotilla/core';
import {
  type Bind,
  CountedEndpoint,
  type HttpHandler,
  type HttpListener,
  type HttpNetwork,
  type HttpRequest,
  type HttpResponse,
  type HttpTarget,
} from '@flotilla/http';
import type { OperationRequest, OperationResponse, RpcTarget, RpcTransport } from '@flotilla/rpc';
import { hasBytes, overRSocket, type RSocketConnector, rsocketTransport } from '@flotilla/rpc/rsocket';
import { carryCall } from './call-carriage.ts';
import { Carriage } from './carriage.ts';
import { carryHttp } from './http-carriage.ts';
import type { Passage } from './passage.ts';

/** A party of a fleet: one process, if the fleet were spread over machines. */
export interface PartyName {
  /** `web.2` */
  readonly name: string;
  /** `web`: the name of all copies. */
  readonly group: string;
}

/** The engines of one party: they differ for a gateway, which strangers reach. */
export interface Engines {
  readonly listenOn: HttpNetwork;
  readonly connectBy: HttpNetwork;
  /** Calls over RSocket; undefined: they go over HTTP. */
  readonly rsocket?: RSocketEngine | undefined;
}

/** How RSocket travels beside HTTP. */
export interface RSocketEngine {
  /** Serves it at the address of a listener that is open. */
  listen(at: HttpListener, handler: HttpHandler, clock: Clock): RSocketListener | undefined;
  connector(clock: Clock): RSocketConnector;
}

/** What of a listener is RSocket. */
export type RSocketListener = Pick<HttpListener, 'inFlight' | 'connections' | 'drain'>;

/** Port: what joins the parties' networks. */
export interface Wires {
  passage(from: PartyName, to: PartyName | undefined): Passage;
  listens(party: PartyName, address: string): void;
  /** Who listens there now, or did so last. */
  partyAt(address: string): PartyName | undefined;
  /** @returns to be called when it has ended. */
  began(carriage: Carriage, from: PartyName, to: PartyName | undefined): () => void;
  /** Breaks every exchange from or to it. */
  breakOf(party: PartyName): void;
  changed(): Promise<void>;
}

/** The network as one start of a party sees it: it fails as ordered, and ends with its party. */
export class PartyNetwork implements HttpNetwork {
  readonly #party: PartyName;
  readonly #engines: Engines;
  readonly #wires: Wires;
  readonly #listeners = new Set<HttpListener>();
  readonly #fast = new Map<HttpListener, RSocketListener>();
  readonly #endpoints = new Map<{ close(): Promise<void> }, string>();
  readonly #clock: Clock;
  readonly #connector: RSocketConnector | undefined;
  readonly #connectBy: HttpNetwork;
  #dead = false;

  constructor(party: PartyName, engines: Engines, wires: Wires, clock: Clock) {
    this.#clock = clock;
    this.#party = party;
    this.#engines = engines;
    this.#wires = wires;
    this.#connector = engines.rsocket?.connector(clock);
    this.#connectBy = this.#connector ? overRSocket(engines.connectBy, this.#connector) : engines.connectBy;
  }

  async listen(bind: Bind, handler: HttpHandler): Promise<HttpListener> {
    if (this.#dead) throw this.#killed('START_FAILED');
    const listener = await this.#engines.listenOn.listen(bind, handler);
    this.#listeners.add(listener);
    this.#wires.listens(this.#party, formatHostPort(listener));
    const fast = this.#engines.rsocket?.listen(listener, handler, this.#clock);
    const drain = async (deadlineMs: number): Promise<void> => {
      await Promise.all([listener.drain(deadlineMs), fast?.drain(deadlineMs)]);
    };
    if (fast) this.#fast.set(listener, fast);
    const forget = (): void => {
      this.#listeners.delete(listener);
      this.#fast.delete(listener);
    };
    return {
      host: listener.host,
      port: listener.port,
      get connections() {
        return listener.connections + (fast?.connections ?? 0);
      },
      get inFlight() {
        return listener.inFlight + (fast?.inFlight ?? 0);
      },
      drain: (deadlineMs) => drain(deadlineMs).finally(forget),
    };
  }

  /** Calls over RSocket to whoever advertises it, over HTTP to all others; both fail as ordered. */
  transport(http: RpcTransport, random: Random): RpcTransport | undefined {
    if (!this.#connector) return undefined;
    const fast = rsocketTransport(this.#connector, http, { clock: this.#clock, random });
    return {
      protocols: fast.protocols,
      connect: (target) =>
        (http.protocols.includes(target.address.protocol) ? fast : this.#faulty(fast)).connect(target),
    };
  }

  #faulty(transport: RpcTransport): Pick<RpcTransport, 'connect'> {
    return {
      connect: (target: RpcTarget) => {
        const address = formatHostPort(target.address);
        const endpoint = transport.connect(target);
        const counted: Endpoint<OperationRequest, OperationResponse> = {
          // Bytes go over HTTP, which fails by itself.
          handle: (request, call) =>
            hasBytes(request.operation) ? endpoint.handle(request, call) : this.#call(endpoint, address, request, call),
          get status() {
            return endpoint.status;
          },
          get load() {
            return endpoint.load;
          },
          close: () => {
            this.#endpoints.delete(counted);
            return endpoint.close();
          },
        };
        this.#endpoints.set(counted, address);
        return counted;
      },
    };
  }

  #call(
    endpoint: Endpoint<OperationRequest, OperationResponse>,
    address: string,
    request: OperationRequest,
    call: Call,
  ): Promise<OperationResponse> {
    if (this.#dead) {
      const error = this.#killed('CONNECT_FAILED');
      call.end(error);
      return Promise.reject(error);
    }
    return carryCall(this.#carriage(address, call), endpoint, request);
  }

  connect(target: HttpTarget): Endpoint<HttpRequest, HttpResponse> {
    const address = formatHostPort(target);
    const endpoint = this.#connectBy.connect(target);
    const counted = new CountedEndpoint({
      target: address,
      maxLoad: Infinity,
      send: (request, call) => this.#send(endpoint, address, request, call),
      release: async () => {
        this.#endpoints.delete(counted);
        await endpoint.close();
      },
    });
    this.#endpoints.set(counted, address);
    return counted;
  }

  /** As if the power went: nothing is said, everything breaks, nothing works any more. */
  async kill(): Promise<void> {
    this.#dead = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    const drained = listeners.flatMap((listener) => [listener.drain(0), this.#fast.get(listener)?.drain(0)]); // nobody finds them from here on
    this.#wires.breakOf(this.#party);
    await Promise.all([...drained, ...[...this.#endpoints.keys()].map((endpoint) => endpoint.close())]);
  }

  /** What its party opened and did not close. */
  leftovers(): string[] {
    const titleOf = (address: string): string => this.#wires.partyAt(address)?.name ?? address;
    return [
      ...[...this.#listeners].map((listener) => `a listener on ${formatHostPort(listener)}`),
      ...[...this.#endpoints.values()].map((address) => `a connection pool to ${titleOf(address)}`),
    ];
  }

  async #send(
    endpoint: Endpoint<HttpRequest, HttpResponse>,
    address: string,
    request: HttpRequest,
    call: Call,
  ): Promise<HttpResponse> {
    if (this.#dead) throw this.#killed('CONNECT_FAILED');
    return carryHttp(this.#carriage(address, call), endpoint, request);
  }

  #carriage(address: string, call: Call): Carriage {
    const from = this.#party;
    const to = this.#wires.partyAt(address);
    const carriage = new Carriage(
      {
        title: `${from.name} to ${to?.name ?? address}`,
        forth: this.#wires.passage(from, to),
        back: to ? this.#wires.passage(to, from) : this.#wires.passage(from, to),
        changed: () => this.#wires.changed(),
      },
      call,
    );
    call.onEnd(this.#wires.began(carriage, from, to));
    return carriage;
  }

  #killed(code: 'CONNECT_FAILED' | 'START_FAILED'): FlotillaError {
    return new FlotillaError(code, `${this.#party.name} was killed`);
  }
}
