import { type Endpoint, FlotillaError } from '@flotilla/core';
import type { OperationRequest, OperationResponse, RpcTransport } from '@flotilla/rpc';

type OperationEndpoint = Endpoint<OperationRequest, OperationResponse>;

/**
 * Calls of services that are placed here, by their places; of all others as `outside` has them.
 * @param places how a service is called, by its name; asked when a client finds it
 */
export function localTransport(
  places: ReadonlyMap<string, () => OperationEndpoint>,
  outside: RpcTransport,
): RpcTransport {
  return {
    protocols: ['process', 'worker', ...outside.protocols],
    connect(target) {
      const { protocol, host } = target.address;
      if (protocol !== 'process' && protocol !== 'worker') return outside.connect(target);
      const open = places.get(host);
      if (open) return open();
      throw new FlotillaError('NO_INSTANCE', `"${host}" is not placed in this process`);
    },
  };
}
