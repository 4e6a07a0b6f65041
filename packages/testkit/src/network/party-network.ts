import { type Call, type Endpoint, FlotillaError, formatHostPort } from '@flotilla/core';
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
import { Carriage } from './carriage.ts';
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
}

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
  readonly #endpoints = new Map<Endpoint<HttpRequest, HttpResponse>, string>();
  #dead = false;

  constructor(party: PartyName, engines: Engines, wires: Wires) {
    this.#party = party;
    this.#engines = engines;
    this.#wires = wires;
  }

  async listen(bind: Bind, handler: HttpHandler): Promise<HttpListener> {
    if (this.#dead) throw this.#killed('START_FAILED');
    const listener = await this.#engines.listenOn.listen(bind, handler);
    this.#listeners.add(listener);
    this.#wires.listens(this.#party, formatHostPort(listener));
    const forget = (): void => void this.#listeners.delete(listener);
    return {
      host: listener.host,
      port: listener.port,
      get connections() {
        return listener.connections;
      },
      get inFlight() {
        return listener.inFlight;
      },
      drain: (deadlineMs) => listener.drain(deadlineMs).finally(forget),
    };
  }

  connect(target: HttpTarget): Endpoint<HttpRequest, HttpResponse> {
    const address = formatHostPort(target);
    const endpoint = this.#engines.connectBy.connect(target);
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
    const drained = listeners.map((listener) => listener.drain(0)); // nobody finds them from here on
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
    const from = this.#party;
    const to = this.#wires.partyAt(address);
    const carriage = new Carriage(
      {
        title: `${from.name} to ${to?.name ?? address}`,
        forth: this.#wires.passage(from, to),
        back: to ? this.#wires.passage(to, from) : this.#wires.passage(from, to),
        endpoint,
        changed: () => this.#wires.changed(),
      },
      call,
    );
    call.onEnd(this.#wires.began(carriage, from, to));
    return carriage.run(request);
  }

  #killed(code: 'CONNECT_FAILED' | 'START_FAILED'): FlotillaError {
    return new FlotillaError(code, `${this.#party.name} was killed`);
  }
}
