import { type Call, type Clock, type Endpoint, FlotillaError, formatHostPort, type Random } from '@flotilla/core';
import { readContext } from '../../context-headers.ts';
import type { CallMaker, HttpHandler, HttpRequest, HttpResponse } from '../../exchange.ts';
import type { HttpHeaders } from '../../headers.ts';
import type { Bind, HttpListener, HttpNetwork, HttpTarget } from '../../network.ts';
import { type PathOptions, parsePath } from '../../path.ts';
import { CountedEndpoint } from '../counted-endpoint.ts';
import { outgoingRequestHeaders } from '../messages.ts';
import { Exchange } from './exchange.ts';
import { type Fault, Link } from './link.ts';
import { MemoryListener } from './memory-listener.ts';

/** What {@link memoryNetwork} needs. */
export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Which call a request that comes in gets. Default: the one that its context headers say. */
  readonly makeCall?: CallMaker;
  /**
   * `%2F` in the path of a request that comes in: `refuse` (default) answers 400 before any handler sees it; `keep`
   * leaves the decision to whoever routes: a service that uses decoded segments, a gateway with routes that say so.
   */
  readonly encodedSlash?: 'refuse' | 'keep';
}

/** A network in one process, with faults to order. `target` is `host:port`, as a client names it in `connect`. */
export interface MemoryNetwork extends HttpNetwork {
  /**
   * `refused` (the default): requests fail with CONNECT_FAILED, exchanges in hand with CONNECTION_LOST, all at once.
   * `silent`: nothing arrives and nothing is said; a request fails after the connect time-out of 1,000 ms on the
   * clock, exchanges in hand stand still.
   */
  partition(target: string, fault?: Fault): void;
  /** Ends a partition; exchanges that stood still go on. */
  heal(target: string): void;
  /** Each request takes that much longer to arrive. 0 (the default): none. */
  setLatency(target: string, latencyMs: number): void;
}

/**
 * HTTP without sockets: messages are copied, context travels in header fields, bodies stream with back pressure, as
 * they do between machines, and time is the clock's alone.
 *
 * ```ts
 * const network = memoryNetwork({ clock: new ManualClock(), random: seededRandom(1) });
 * await network.listen({ host: 'orders', port: 80 }, handler);
 * const orders = network.connect({ protocol: 'http', host: 'orders', port: 80 });
 * ```
 */
export function memoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  return new Wires(options);
}

interface Received {
  readonly request: Omit<HttpRequest, 'body'>;
  readonly refused: HttpHandler | undefined;
}

type HostPort = Pick<HttpTarget, 'host' | 'port'>;

const everywhere: readonly string[] = ['0.0.0.0', '::'];
const firstFreePort = 49_152; // RFC 6335 §6: the dynamic ports

class Wires implements MemoryNetwork {
  readonly #clock: Clock;
  readonly #makeCall: CallMaker;
  readonly #pathOptions: PathOptions;
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #links = new Map<string, Link>();
  #nextPort = firstFreePort;

  constructor({ clock, random, makeCall, encodedSlash = 'refuse' }: MemoryNetworkOptions) {
    this.#pathOptions = { encodedSlash };
    this.#clock = clock;
    this.#makeCall = makeCall ?? (({ headers }) => readContext(headers, { clock, random }));
  }

  async listen(bind: Bind, handler: HttpHandler): Promise<HttpListener> {
    if ('fd' in bind) throw new FlotillaError('START_FAILED', 'a network in memory has no descriptors to listen on');
    const address = { host: bind.host, port: bind.port === 0 ? this.#freePort(bind.host) : bind.port };
    if (this.#find(address)) {
      const detail = `${formatHostPort(address)} is taken: stop what listens there, or take another port (0 takes a free one)`;
      throw new FlotillaError('ADDRESS_IN_USE', detail);
    }
    const key = keyOf(address);
    const listener = new MemoryListener(address, handler, this.#clock, () => this.#listeners.delete(key));
    this.#listeners.set(key, listener);
    return listener;
  }

  connect(target: HttpTarget): Endpoint<HttpRequest, HttpResponse> {
    return new CountedEndpoint({
      target: formatHostPort(target),
      maxLoad: Infinity,
      send: async (request, call) => (await this.#open(target, request, call)).run(),
      release: async () => {},
    });
  }

  partition(target: string, fault: Fault = 'refused'): void {
    this.#linkTo(target).break(fault);
  }

  heal(target: string): void {
    this.#linkTo(target).heal();
  }

  setLatency(target: string, latencyMs: number): void {
    this.#linkTo(target).latencyMs = latencyMs;
  }

  async #open(target: HttpTarget, request: HttpRequest, clientCall: Call): Promise<Exchange> {
    const link = this.#linkTo(formatHostPort(target));
    const headers = outgoingRequestHeaders(request, clientCall);
    await link.open(clientCall);
    const listener = link.refuses ? undefined : this.#find(target);
    if (!listener) throw new FlotillaError('CONNECT_FAILED', `nobody listens on ${formatHostPort(target)}`);
    const received = this.#receive(request, headers, target);
    const serverCall = this.#makeCall({ ...received.request, body: undefined });
    const handler = received.refused ?? listener.handler;
    const exchange = new Exchange({
      request: received.request,
      body: request.body,
      upgrade: request.upgrade,
      handler,
      clientCall,
      serverCall,
      gate: link.passable,
    });
    listener.take(exchange);
    link.carry(exchange);
    return exchange;
  }

  /** The request as it arrives. One that a listener on sockets would refuse is refused by a handler in its place. */
  #receive(request: HttpRequest, headers: HttpHeaders, target: HttpTarget): Received {
    const { method, authority, query, path } = request;
    const peer = { address: '127.0.0.1', port: 0, encrypted: target.protocol === 'https' };
    const head = { method, authority, query, headers, peer };
    try {
      return { request: { ...head, path: parsePath(path.text, this.#pathOptions) }, refused: undefined };
    } catch (thrown) {
      return { request: { ...head, path }, refused: () => Promise.reject(thrown) };
    }
  }

  #linkTo(target: string): Link {
    const link = this.#links.get(target) ?? new Link(target);
    this.#links.set(target, link);
    return link;
  }

  #freePort(host: string): number {
    while (this.#find({ host, port: this.#nextPort })) this.#nextPort++;
    return this.#nextPort++;
  }

  #find({ host, port }: HostPort): MemoryListener | undefined {
    for (const name of [host, ...everywhere]) {
      const listener = this.#listeners.get(keyOf({ host: name, port }));
      if (listener) return listener;
    }
    return undefined;
  }
}

/** `localhost` is where `127.0.0.1` is. */
function keyOf({ host, port }: HostPort): string {
  const name = host.toLowerCase();
  return formatHostPort({ host: name === 'localhost' ? '127.0.0.1' : name, port });
}
