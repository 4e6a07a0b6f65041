import { addressFor, type Endpoint } from '@flotilla/core';
import type { CalledOperation, OperationRequest, OperationResponse } from '../../client/operation-request.ts';
import type { RpcTarget, RpcTransport } from '../../client/transport.ts';
import { rsocketCalls } from './call-client.ts';
import type { RSocketConnector } from './links.ts';

/**
 * Calls of operations over RSocket where an instance advertises it, else as `http` has them. Operations with bytes always
 * go over HTTP: to the instance's HTTP address, else to the same port, which speaks both.
 */
export function rsocketTransport(connector: RSocketConnector, http: RpcTransport): RpcTransport {
  return {
    protocols: ['rsocket', 'rsockets', ...http.protocols],
    connect(target) {
      const { protocol, host, port } = target.address;
      if (protocol !== 'rsocket' && protocol !== 'rsockets') return http.connect(target);
      const fast = rsocketCalls(connector.connect({ protocol, host, port }));
      return withBytesOver(() => http.connect(plainTarget(target)), fast);
    },
  };
}

function plainTarget(target: RpcTarget): RpcTarget {
  const { address, instance } = target;
  const own = instance && addressFor(instance, ['http', 'https']);
  return { ...target, address: own ?? { ...address, protocol: address.protocol === 'rsockets' ? 'https' : 'http' } };
}

function withBytesOver(
  openPlain: () => Endpoint<OperationRequest, OperationResponse>,
  fast: Endpoint<OperationRequest, OperationResponse>,
): Endpoint<OperationRequest, OperationResponse> {
  let plain: Endpoint<OperationRequest, OperationResponse> | undefined;
  return {
    handle(request, call) {
      if (!hasBytes(request.operation)) return fast.handle(request, call);
      plain ??= openPlain();
      return plain.handle(request, call);
    },
    get status() {
      return fast.status;
    },
    get load() {
      return fast.load + (plain?.load ?? 0);
    },
    async close() {
      await Promise.all([fast.close(), plain?.close()]);
    },
  };
}

/** Are its input or its output bytes, which are no JSON? */
export function hasBytes({ mapping: { answer, body } }: Pick<CalledOperation, 'mapping'>): boolean {
  return answer !== undefined || (body !== undefined && 'field' in body);
}
