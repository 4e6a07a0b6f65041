import { type Clock, FlotillaError, type Timer } from '@flotilla/core';
import type { Upgrade } from '@flotilla/http';
import type { Exchange } from '../exchange.ts';
import type { GatewayLog } from '../log.ts';
import type { Patience } from '../patience.ts';
import type { Route } from '../route.ts';
import type { Table } from '../table.ts';
import { OpenSocket } from './open-socket.ts';

/** What the sockets of a gateway share. */
export interface SocketsOptions {
  readonly clock: Clock;
  readonly log: GatewayLog;
  /** Sockets of all routes at once. */
  readonly maxWebSockets: number;
  /** How long sockets of a route that was changed or removed may stay. */
  readonly webSocketDrainMs: number;
}

/** Where a socket belongs. */
interface Place {
  readonly exchange: Exchange;
  readonly route: Route;
}

/** All WebSockets of a gateway: how many there may be, and how they end when their route or their gateway does. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #sockets = new Map<OpenSocket, Place>();
  readonly #perRoute = new Map<string, number>();
  readonly #timers = new Set<Timer>();
  #draining = false;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(options: SocketsOptions) {
    this.#options = options;
  }

  /**
   * A place for one more, from its handshake on; given back when its exchange is over.
   * @throws FlotillaError UNAVAILABLE
   */
  begin(exchange: Exchange, route: Route, { incoming }: Upgrade, patience: Patience): OpenSocket {
    this.#admit(route);
    const socket = new OpenSocket(exchange, incoming, () => patience.touch());
    this.#sockets.set(socket, { exchange, route });
    this.#count(route, 1);
    exchange.socket = socket;
    exchange.outer.onEnd(() => this.#over(socket));
    return socket;
  }

  /** The upstream gave another answer than 101: what follows is an ordinary exchange. */
  declined(socket: OpenSocket): void {
    this.#over(socket);
  }

  /** Routes changed. Sockets whose route stands move to the new table; the others get their time, then are closed. */
  moveTo(table: Table): void {
    const stands = new Set(table.routes);
    const leaving: OpenSocket[] = [];
    for (const [socket, { exchange, route }] of this.#sockets) {
      if (stands.has(route)) move(exchange, table);
      else leaving.push(socket);
    }
    if (leaving.length > 0) this.#closeAfter(this.#options.webSocketDrainMs, () => leaving);
  }

  /** Takes no more, closes those that are left after `afterMs`. Resolves when there is none. */
  drain(afterMs: number): Promise<void> {
    this.#draining = true;
    this.#empty ??= Promise.withResolvers<void>();
    if (this.#sockets.size === 0) this.#empty.resolve();
    else this.#closeAfter(afterMs, () => [...this.#sockets.keys()]);
    return this.#empty.promise;
  }

  #admit({ definition }: Route): void {
    const { maxWebSockets } = this.#options;
    if (this.#draining) throw full('the gateway is being stopped');
    if (this.#sockets.size >= maxWebSockets) {
      throw full(`${maxWebSockets} WebSockets are open, as many as maxWebSockets allows`);
    }
    const most = definition.webSocket ? definition.webSocket.maxConnections : 0;
    if ((this.#perRoute.get(definition.id) ?? 0) >= most) {
      throw full(`the route "${definition.id}" has ${most} WebSockets, as many as its maxConnections allows`);
    }
  }

  #closeAfter(afterMs: number, which: () => readonly OpenSocket[]): void {
    const { clock, log } = this.#options;
    log.socketsDrain(which().length, afterMs);
    const close = (): void => {
      for (const socket of which()) socket.close('drain');
    };
    if (afterMs <= 0) {
      close();
      return;
    }
    const timer = clock.setTimer(afterMs, () => {
      this.#timers.delete(timer);
      close();
    });
    this.#timers.add(timer);
  }

  #count({ definition: { id }, metrics }: Route, step: 1 | -1): void {
    const open = (this.#perRoute.get(id) ?? 0) + step;
    if (open > 0) this.#perRoute.set(id, open);
    else this.#perRoute.delete(id);
    metrics.sockets(open);
  }

  #over(socket: OpenSocket): void {
    const place = this.#sockets.get(socket);
    if (!place) return;
    this.#sockets.delete(socket);
    this.#count(place.route, -1);
    if (this.#sockets.size > 0) return;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#empty?.resolve();
  }
}

/** A table that nobody uses any more can be released, however long the socket stays. */
function move(exchange: Exchange, table: Table): void {
  if (exchange.table === table) return;
  table.enter();
  exchange.table.leave();
  exchange.table = table;
}

function full(detail: string): FlotillaError {
  return new FlotillaError('UNAVAILABLE', detail, { retryAfterMs: 5_000 });
}
