import type { HttpNetwork, HttpTarget } from '@flotilla/http';
import type { Tongue } from '@flotilla/http/node';
import { httpOverRSocket } from '../../http/http-endpoint.ts';
import { type HttpServingOptions, httpResponder } from '../../http/http-responder.ts';
import { withUpgrades } from '../../http/with-upgrades.ts';
import type { RSocketLimits } from '../../limits.ts';
import { RSocketClient, type RSocketClientOptions } from './client.ts';
import { rsocketTongue } from './tongue.ts';

/**
 * The same network, but requests to a target that speaks RSocket go over it; a WebSocket goes by HTTP/1.1 there too.
 *
 * ```ts
 * const network = overRSocket(nodeNetwork({ clock, random }), { clock, random });
 * const orders = network.connect({ protocol: 'http', host: '10.0.0.7', port: 8080, rsocket: true });
 * ```
 */
export function overRSocket(network: HttpNetwork, options: RSocketClientOptions): HttpNetwork {
  return {
    listen: (bind, handler) => network.listen(bind, handler),
    connect(target: HttpTarget) {
      if (target.rsocket !== true) return network.connect(target);
      const { tls, ...others } = options;
      const client = new RSocketClient(target, target.protocol === 'https' ? options : others);
      return withUpgrades(httpOverRSocket(client), () => network.connect(target));
    },
  } satisfies HttpNetwork;
}

/**
 * RSocket for HTTP requests alone, for a listener that serves no typed calls.
 * `nodeNetwork({ …, tongues: (handler) => [httpTongue({ handler, … })] })`
 */
export function httpTongue(options: HttpServingOptions & { readonly rsocket?: Partial<RSocketLimits> }): Tongue {
  const { clock, rsocket: limits } = options;
  return rsocketTongue({ clock, limits, serve: (peer) => ({ responder: httpResponder(options, peer) }) });
}
