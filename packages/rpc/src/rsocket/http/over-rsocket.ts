import type { HttpNetwork, HttpTarget } from '@flotilla/http';
import type { RSocketConnector } from '../calls/links.ts';
import { httpOverRSocket } from './http-endpoint.ts';
import { withUpgrades } from './with-upgrades.ts';

/**
 * The same network, but requests to a target that speaks RSocket go over it, on connections that typed calls to the same
 * peer may share; a WebSocket goes by HTTP/1.1 there too.
 *
 * ```ts
 * const network = overRSocket(nodeNetwork({ clock, random }), nodeConnector({ clock, random }));
 * const orders = network.connect({ protocol: 'http', host: '10.0.0.7', port: 8080, rsocket: true });
 * ```
 */
export function overRSocket(network: HttpNetwork, connector: RSocketConnector): HttpNetwork {
  return {
    listen: (bind, handler) => network.listen(bind, handler),
    connect(target: HttpTarget) {
      if (target.rsocket !== true) return network.connect(target);
      const { protocol, host, port, refuses, ca } = target;
      const links = connector.connect({
        protocol: protocol === 'https' ? 'rsockets' : 'rsocket',
        host,
        port,
        refuses,
        ca,
      });
      return withUpgrades(httpOverRSocket(links), () => network.connect(target));
    },
  } satisfies HttpNetwork;
}
