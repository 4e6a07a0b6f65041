import type { HttpNetwork } from '@flotilla/http';
import { type NodeNetworkOptions, nodeNetwork } from '@flotilla/http/node';
import { httpResponder, overRSocket, type RSocketConnector, rsocketServingOf } from '@flotilla/rpc/rsocket';
import { nodeConnector, rsocketTongue } from '@flotilla/rpc/rsocket/node';

/** What the processes of a fleet reach each other by. */
export interface FastNetwork {
  /**
   * HTTP/1.1; a listener whose handler serves calls over RSocket speaks that on the same port, and takes HTTP requests
   * over it, too. Targets that do so are asked that way.
   */
  readonly network: HttpNetwork;
  /** Connections for calls over RSocket, and for those requests. */
  readonly connector: RSocketConnector;
}

/** HTTP and RSocket on sockets, with one configuration of TLS. */
export function fastNetwork(options: NodeNetworkOptions): FastNetwork {
  const { clock, random, tls } = options;
  const plain = nodeNetwork({
    ...options,
    tongues: (handler, bind, serving) => {
      const others = options.tongues?.(handler, bind, serving) ?? [];
      const serve = rsocketServingOf(handler);
      if (!serve) return others;
      return [...others, rsocketTongue({ clock, serve: (peer) => serve(peer, httpResponder(serving, peer)) })];
    },
  });
  const connector = nodeConnector({ clock, random, tls });
  return { network: overRSocket(plain, connector), connector };
}
