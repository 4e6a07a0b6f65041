import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { type Endpoint, formatHostPort } from '@flotilla/core';
import type { Dispatcher, Pool as UndiciPool } from 'undici';
import type { HttpRequest, HttpResponse } from '../../exchange.ts';
import type { HttpTarget } from '../../network.ts';
import { CountedEndpoint } from '../counted-endpoint.ts';
import { outgoingRequestHeaders } from '../messages.ts';
import { ClientExchange } from './client-exchange.ts';
import { guardedLookup } from './guarded-lookup.ts';
import type { PoolLimits } from './options.ts';
import { connector } from './tls/connector.ts';
import type { TlsFiles } from './tls/tls-files.ts';

/**
 * The pool alone: the library's entry also loads a fetch, a cache, a WebSocket and a mock, which costs every process of
 * a fleet 75 ms at its start. A version that moves the file fails the first test that opens a connection.
 */
const Pool: typeof UndiciPool = createRequire(import.meta.url)('undici/lib/dispatcher/pool.js');

/**
 * An endpoint over a pool of connections to one address. Times are the calls' own: the only time-out here is that of
 * connecting. A connection carries one request at a time, so that a cancel can close it without hurting another.
 */
export function poolEndpoint(
  target: HttpTarget,
  limits: PoolLimits,
  tls?: TlsFiles,
): Endpoint<HttpRequest, HttpResponse> {
  const name = formatHostPort(target);
  const origin = `${target.protocol}://${name}`;
  const pool = new Pool(origin, poolOptions(limits, target, tls));
  // The certificate has to be that of the target, whatever authority a request names.
  const servername = isIP(target.host) === 0 ? target.host : undefined;
  return new CountedEndpoint({
    target: name,
    maxLoad: limits.maxConnections + limits.maxWaiting,
    send(request, call) {
      const headers = outgoingRequestHeaders(request, call);
      const exchange = new ClientExchange(request, headers, call, name, limits);
      pool.dispatch(message(request, headers.toFlat(), exchange, servername), exchange);
      return exchange.response;
    },
    release: () => pool.close(),
  });
}

function poolOptions(limits: PoolLimits, { refuses, ca }: HttpTarget, tls: TlsFiles | undefined): UndiciPool.Options {
  const lookup = refuses && { lookup: guardedLookup(refuses) };
  return {
    connections: limits.maxConnections,
    pipelining: 1,
    connectTimeout: limits.connectTimeoutMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: limits.keepAliveIdleMs,
    keepAliveMaxTimeout: limits.keepAliveIdleMs,
    maxHeaderSize: limits.maxHeaderBytes,
    allowH2: false,
    ...(ca !== undefined
      ? { connect: { ...lookup, ca } } // a target with an authority of its own is no concern of the process's files
      : tls
        ? { connect: connector(tls, { ...lookup, timeout: limits.connectTimeoutMs }) }
        : lookup && { connect: lookup }),
  };
}

function message(
  request: HttpRequest,
  flat: string[],
  exchange: ClientExchange,
  servername: string | undefined,
): Dispatcher.DispatchOptions {
  flat.push('host', request.authority);
  return {
    method: request.method,
    path: request.query === '' ? request.path.text : `${request.path.text}?${request.query}`,
    headers: flat,
    body: exchange.body as Uint8Array | null,
    ...(request.upgrade && { upgrade: request.upgrade.protocol }),
    ...(servername !== undefined && { servername }),
  };
}
