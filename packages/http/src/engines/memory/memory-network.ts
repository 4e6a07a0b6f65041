import { type Call, type Clock, type Endpoint, FlotillaError, formatHostPort, type Random } from '@flotilla/core';
import { readContext } from '../../context-headers.ts';
import type { CallMaker, HttpHandler, HttpRequest, HttpResponse } from '../../exchange.ts';
import type { Bind, HttpListener, HttpNetwork, HttpTarget } from '../../network.ts';
import { parsePath } from '../../path.ts';
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

const everywhere: readonly string[] = ['0.0.0.0', '::'];
const firstFreePort = 49_152; // RFC 6335 §6: the dynamic ports

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
  const { clock, random } = options;
  const makeCall = options.makeCall ?? ((request: HttpRequest) => readContext(request.headers, { clock, random }));
  const listeners = new Map<string, MemoryListener>();
  const links = new Map<string, Link>();
  let nextPort = firstFreePort;

  const linkTo = (target: string): Link => {
    const link = links.get(target) ?? new Link(target);
    links.set(target, link);
    return link;
  };

  const freePort = (host: string): number => {
    while (find(listeners, { host, port: nextPort })) nextPort++;
    return nextPort++;
  };

  const open = async (target: HttpTarget, request: HttpRequest, clientCall: Call): Promise<Exchange> => {
    const link = linkTo(formatHostPort(target));
    const headers = outgoingRequestHeaders(request, clientCall);
    await link.open(clientCall);
    const listener = link.refuses ? undefined : find(listeners, target);
    if (!listener) throw new FlotillaError('CONNECT_FAILED', `nobody listens on ${formatHostPort(target)}`);
    const { method, authority, query, path, body } = request;
    const peer = { address: '127.0.0.1', port: 0, encrypted: target.protocol === 'https' };
    const received = { method, authority, query, path: parsePath(path.text), headers, peer };
    const serverCall = makeCall({ ...received, body: undefined });
    const { handler } = listener;
    const exchange = new Exchange({ request: received, body, handler, clientCall, serverCall, gate: link.passable });
    listener.take(exchange);
    link.carry(exchange);
    return exchange;
  };

  return {
    async listen(bind: Bind, handler: HttpHandler): Promise<HttpListener> {
      if ('fd' in bind) throw new FlotillaError('START_FAILED', 'a network in memory has no descriptors to listen on');
      const port = bind.port === 0 ? freePort(bind.host) : bind.port;
      const address = { host: bind.host, port };
      if (find(listeners, address)) {
        throw new FlotillaError(
          'ADDRESS_IN_USE',
          `${formatHostPort(address)} is taken: stop what listens there, or take another port`,
        );
      }
      const key = keyOf(address);
      const listener = new MemoryListener(address, handler, clock, () => listeners.delete(key));
      listeners.set(key, listener);
      return listener;
    },
    connect(target: HttpTarget): Endpoint<HttpRequest, HttpResponse> {
      return new CountedEndpoint({
        target: formatHostPort(target),
        maxLoad: Infinity,
        send: async (request, call) => (await open(target, request, call)).run(),
        release: async () => {},
      });
    },
    partition(target: string, fault: Fault = 'refused'): void {
      linkTo(target).break(fault);
    },
    heal(target: string): void {
      linkTo(target).heal();
    },
    setLatency(target: string, latencyMs: number): void {
      linkTo(target).latencyMs = latencyMs;
    },
  } satisfies MemoryNetwork;
}

function find(
  listeners: ReadonlyMap<string, MemoryListener>,
  { host, port }: { host: string; port: number },
): MemoryListener | undefined {
  const exact = listeners.get(keyOf({ host, port }));
  if (exact) return exact;
  for (const any of everywhere) {
    const listener = listeners.get(keyOf({ host: any, port }));
    if (listener) return listener;
  }
  return undefined;
}

/** `localhost` is where `127.0.0.1` is. */
function keyOf({ host, port }: { host: string; port: number }): string {
  const name = host.toLowerCase();
  return formatHostPort({ host: name === 'localhost' ? '127.0.0.1' : name, port });
}
