import { type HttpNetwork, type HttpRequest, type Peer, readContext } from '@flotilla/http';
import { listenerDefaults, type NodeNetworkOptions, nodeNetwork } from '@flotilla/http/node';
import { httpResponder, type RSocketConnector, rsocketServingOf } from '@flotilla/rpc/rsocket';
import { nodeConnector, rsocketTongue } from '@flotilla/rpc/rsocket/node';

/** What the processes of a fleet reach each other by. */
export interface FastNetwork {
  /** HTTP/1.1; a listener whose handler serves calls over RSocket speaks that on the same port. */
  readonly network: HttpNetwork;
  /** Connections for calls over RSocket. */
  readonly connector: RSocketConnector;
}

/** HTTP and RSocket on sockets, with one configuration of TLS. */
export function fastNetwork(options: NodeNetworkOptions): FastNetwork {
  const { clock, random, tls } = options;
  const makeCall = options.makeCall ?? (({ headers }: HttpRequest) => readContext(headers, { clock, random }));
  const limits = { ...listenerDefaults, ...options.limits };
  const network = nodeNetwork({
    ...options,
    tongues: (handler, bind) => {
      const others = options.tongues?.(handler, bind) ?? [];
      const serving = rsocketServingOf(handler);
      if (!serving) return others;
      const serve = (peer: Peer): ReturnType<typeof serving> =>
        serving(peer, httpResponder({ handler, makeCall, clock, limits }, peer));
      return [...others, rsocketTongue({ clock, serve })];
    },
  });
  return { network, connector: nodeConnector({ clock, random, tls }) };
}
