import { addressFor, type Endpoint } from '@flotilla/core';
import type { UtilisationListener } from '@flotilla/http';
import type { OperationRequest, OperationResponse } from '../../client/operation-request.ts';
import type { RpcTarget, RpcTransport } from '../../client/transport.ts';
import type { Binding } from '../../handlers.ts';
import { setupDefaults } from '../connection-options.ts';
import type { RSocketResponder } from '../responder-port.ts';
import { rsocketCalls } from './call-client.ts';
import { CallServer, type CallServerOptions } from './call-server.ts';
import type { RSocketConnector, RSocketLinks } from './links.ts';
import { readUtilisationPush } from './utilisation.ts';
import { withBytesOver } from './with-bytes.ts';

/**
 * Calls of operations over RSocket where an instance advertises it, else as `http` has them. Operations with bytes always
 * go over HTTP: to the instance's HTTP address, else to the same port, which speaks both.
 * @param serving how contracts are served to who calls back
 */
export function rsocketTransport(
  connector: RSocketConnector,
  http: RpcTransport,
  serving: CallServerOptions,
): RpcTransport {
  const responders = new WeakMap<readonly Binding[], RSocketResponder>();
  const responderOf = (serves: readonly Binding[]): RSocketResponder => {
    let responder = responders.get(serves);
    if (!responder) {
      responder = callbacks(serves, serving);
      responders.set(serves, responder);
    }
    return responder;
  };
  return {
    protocols: ['rsocket', 'rsockets', ...http.protocols],
    connect(target) {
      const { protocol, host, port } = target.address;
      if (protocol !== 'rsocket' && protocol !== 'rsockets') return http.connect(target);
      const responder = target.serves && responderOf(target.serves);
      const links = connector.connect({ protocol, host, port, responder });
      const { report } = target;
      const fast = report ? hearing(report, links) : rsocketCalls(links);
      return withBytesOver(() => http.connect(plainTarget(target)), fast);
    },
  };
}

/** Calls whose callee says now and then how busy it is. */
function hearing(report: UtilisationListener, links: RSocketLinks): Endpoint<OperationRequest, OperationResponse> {
  const leave = links.onPush?.((metadata) => {
    const share = report.wanted ? readUtilisationPush(metadata) : undefined;
    if (share !== undefined) report.utilisation(share);
  });
  const calls = rsocketCalls(links);
  const { close } = calls;
  calls.close = () => {
    leave?.();
    return close.call(calls);
  };
  return calls;
}

/** What answers a callee that calls back: the same contracts, on every connection. */
export function callbacks(serves: readonly Binding[], serving: CallServerOptions): RSocketResponder {
  const responder = new CallServer(serves, serving).responder();
  responder.accept(setupDefaults, true);
  return responder;
}

function plainTarget(target: RpcTarget): RpcTarget {
  const { address, instance } = target;
  const own = instance && addressFor(instance, ['http', 'https']);
  return { ...target, address: own ?? { ...address, protocol: address.protocol === 'rsockets' ? 'https' : 'http' } };
}
