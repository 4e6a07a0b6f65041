import { type Endpoint, FlotillaError } from '@flotilla/core';
import type { HttpNetwork, HttpRequest, HttpResponse } from '@flotilla/http';
import type { Binding, OperationRequest, OperationResponse, RpcTransport } from '@flotilla/rpc';
import { placedPort } from './local-places.ts';

/** How a service that is placed here is reached, by one client. */
export interface PlaceWays {
  /** Its operations. @param serves what it may call back */
  calls(serves: readonly Binding[] | undefined): Endpoint<OperationRequest, OperationResponse>;
  /** Whatever it serves over HTTP. */
  http(): Endpoint<HttpRequest, HttpResponse>;
}

/**
 * Calls of services that are placed here, by their places; of all others as `outside` has them.
 * @param places ways to a service, by its name; asked when a client finds it
 */
export function localTransport(places: ReadonlyMap<string, PlaceWays>, outside: RpcTransport): RpcTransport {
  return {
    protocols: ['process', 'worker', ...outside.protocols],
    connect(target) {
      const { protocol, host } = target.address;
      if (protocol !== 'process' && protocol !== 'worker') return outside.connect(target);
      return wayTo(places, host).calls(target.serves);
    },
  };
}

/** The same for requests of HTTP: `app.fetch` reaches what is placed here, too. */
export function localNetwork(places: ReadonlyMap<string, PlaceWays>, outside: HttpNetwork): HttpNetwork {
  return {
    listen: (bind, handler) => outside.listen(bind, handler),
    connect: (target) => (target.port === placedPort ? wayTo(places, target.host).http() : outside.connect(target)),
  };
}

function wayTo(places: ReadonlyMap<string, PlaceWays>, name: string): PlaceWays {
  const ways = places.get(name);
  if (ways) return ways;
  throw new FlotillaError('NO_INSTANCE', `"${name}" is not placed in this process`);
}
