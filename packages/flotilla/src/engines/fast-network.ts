import type { HttpNetwork } from '@flotilla/http';
import { type NodeNetworkOptions, nodeNetwork } from '@flotilla/http/node';
import { type RSocketConnector, rsocketServingOf } from '@flotilla/rpc/rsocket';
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
  const network = nodeNetwork({
    ...options,
    tongues: (handler, bind) => {
      const serve = rsocketServingOf(handler);
      return [...(options.tongues?.(handler, bind) ?? []), ...(serve ? [rsocketTongue({ clock, serve })] : [])];
    },
  });
  return { network, connector: nodeConnector({ clock, random, tls }) };
}
