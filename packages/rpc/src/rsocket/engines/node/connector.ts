import { type RSocketConnector, sharedConnector } from '../../calls/links.ts';
import { RSocketClient, type RSocketClientOptions } from './client.ts';

/** Connections on sockets, one per peer and more under load, shared by all who call that peer. */
export function nodeConnector(options: RSocketClientOptions): RSocketConnector {
  return sharedConnector({
    connect: ({ protocol, host, port, responder }) =>
      new RSocketClient(
        { protocol: protocol === 'rsockets' ? 'https' : 'http', host, port },
        { ...options, responder },
      ),
  });
}
