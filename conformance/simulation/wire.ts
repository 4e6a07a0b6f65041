import { type Call, type Clock, type EndpointStatus, FlotillaError, type Random } from '@flotilla/core';
import { type Binding, bind, type RpcTransport } from '@flotilla/rpc';
import {
  CallServer,
  type LinkTarget,
  RSocketConnection,
  type RSocketLinks,
  type RSocketPeer,
  rsocketTransport,
} from '@flotilla/rpc/rsocket';
import { BytePair } from '@flotilla/rpc/rsocket/memory';
import { orders } from './contract.ts';
import type { SimulatedFleet, SimulatedProcess } from './fleet.ts';
import { garbled } from './frames.ts';

/** How long bytes take from one process to another. */
const transitMs = 0.1;

interface Opened {
  readonly process: SimulatedProcess;
  readonly pair: BytePair;
  readonly client: RSocketConnection;
  readonly server: RSocketConnection;
}

/** Calls in frames of RSocket over links that take virtual time: the engine, the codec and the server are the real ones. */
export class Wire {
  readonly transport: RpcTransport;
  readonly #fleet: SimulatedFleet;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #servers = new Map<number, CallServer>();
  readonly #opened = new Set<Opened>();

  constructor(fleet: SimulatedFleet, clock: Clock, random: Random) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#random = random;
    const connector = { connect: (target: LinkTarget) => new WireLinks(this, target.port) };
    this.transport = rsocketTransport(connector, noHttp, { clock, random });
    const broken = new Error('the connection was reset');
    const breakOff = (number: number): void => {
      for (const { process, pair } of [...this.#opened]) if (process.number === number) pair.cut(broken);
    };
    fleet.events = {
      died: breakOff,
      cut: breakOff,
      drains: (process) => {
        for (const opened of [...this.#opened]) if (opened.process === process) opened.server.drain();
      },
    };
  }

  get connections(): number {
    return this.#opened.size;
  }

  /** Calls without an end on either side of any connection. */
  get inHand(): number {
    let sum = 0;
    for (const { client, server } of this.#opened) sum += client.outstanding + server.inFlight;
    return sum;
  }

  open(number: number): RSocketConnection | undefined {
    const process = this.#fleet.listening(number);
    if (!process) return undefined;
    const toClient = (run: () => void): void => void this.#clock.setTimer(transitMs, run);
    const toServer = (run: () => void): void =>
      void this.#clock.setTimer(transitMs + this.#fleet.blockedMs(number), run);
    const pair = new BytePair(toClient, toServer);
    const active = (): boolean => this.#fleet.garbles(number);
    pair.alter('client', garbled(this.#random, active));
    pair.alter('server', garbled(this.#random, active));
    const responder = this.#serverOf(number).responder();
    const server = RSocketConnection.server({
      channel: pair.server,
      clock: this.#clock,
      responder,
      accept: (setup) => responder.accept(setup, true),
    });
    const client: RSocketConnection = RSocketConnection.client({
      channel: pair.client,
      clock: this.#clock,
      events: { closed: () => void this.#opened.delete(opened) },
    });
    const opened: Opened = { process, pair, client, server };
    this.#opened.add(opened);
    return client;
  }

  #serverOf(number: number): CallServer {
    let server = this.#servers.get(number);
    if (!server) {
      server = new CallServer([this.#bindingOf(number)], { clock: this.#clock, random: this.#random });
      this.#servers.set(number, server);
    }
    return server;
  }

  #bindingOf(number: number): Binding {
    const answer = (question: { id: number }, call: Call) => this.#fleet.answer(number, question, call);
    return bind(orders, { look: answer, put: answer, place: answer });
  }
}

class WireLinks implements RSocketLinks {
  readonly target: string;
  readonly #wire: Wire;
  readonly #number: number;
  #connection: RSocketConnection | undefined;
  #closed = false;

  constructor(wire: Wire, number: number) {
    this.#wire = wire;
    this.#number = number;
    this.target = `simulated:${number}`;
  }

  get status(): EndpointStatus {
    return this.#closed ? 'closed' : 'open';
  }

  get outstanding(): number {
    return this.#connection?.outstanding ?? 0;
  }

  current(): RSocketPeer | undefined {
    return this.#connection?.takesRequests && !this.#closed ? this.#connection : undefined;
  }

  async connect(call: Call): Promise<RSocketPeer> {
    call.throwIfCancelled();
    const connection = this.#wire.open(this.#number);
    if (!connection) throw new FlotillaError('CONNECT_FAILED', `nobody listens at ${this.target}`, { executed: 'no' });
    this.#connection = connection;
    return connection;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection?.drain();
  }
}

const noHttp: RpcTransport = {
  protocols: [],
  connect: ({ address }) => {
    throw new TypeError(`nothing here speaks ${address.protocol}`);
  },
};
