import { type RSocketConnector, sharedConnector } from '../../calls/links.ts';
import { RSocketClient, type RSocketClientOptions } from './client.ts';

/** Connections on sockets, one per peer and more under load, shared by all who call that peer. */
export function nodeConnector(options: RSocketClientOptions): RSocketConnector {
  return sharedConnector({
    connect: ({ protocol, host, port, refuses, ca, responder, pushed }) =>
      new RSocketClient(
        {
          protocol: protocol === 'rsockets' ? 'https' : 'http',
          host,
          port,
          ...(refuses && { refuses }),
          ...(ca !== undefined && { ca }),
        },
        { ...options, responder, events: pushed ? { ...options.events, metadataPush: pushed } : options.events },
      ),
  });
}
