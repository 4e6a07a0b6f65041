import { type Endpoint, FlotillaError, type Logger, nullLogger } from '@flotilla/core';
import { readContext } from '../../context-headers.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../exchange.ts';
import type { Bind, HttpListener, HttpNetwork, HttpTarget } from '../../network.ts';
import { answerNowOf } from '../../prompt.ts';
import type { FailureListener } from '../answer.ts';
import { http1Tongue } from './http1.ts';
import { SocketListener } from './listener.ts';
import { listenerDefaults, type NodeNetworkOptions, poolDefaults, resolveLimits } from './options.ts';
import { poolEndpoint } from './pool.ts';

/**
 * HTTP/1.1 on sockets: listeners with the limits of {@link listenerDefaults}, pools with those of {@link poolDefaults}.
 *
 * ```ts
 * const network = nodeNetwork({ clock: systemClock, random: systemRandom });
 * const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
 * const self = network.connect({ protocol: 'http', host: '127.0.0.1', port: listener.port });
 * ```
 *
 * @throws RangeError for a limit that is unknown or no number from 0 on
 */
export function nodeNetwork(options: NodeNetworkOptions): HttpNetwork {
  const { clock, random, tls, logger = nullLogger, encodedSlash = 'refuse', refusalPage } = options;
  const limits = resolveLimits(listenerDefaults, options.limits);
  const pathOptions = { encodedSlash };
  const failed = failureLog(logger);
  const pool = resolveLimits(poolDefaults, options.pool);
  const makeCall = options.makeCall ?? ((request: HttpRequest) => readContext(request.headers, { clock, random }));
  return {
    async listen(bind: Bind, handler: HttpHandler): Promise<HttpListener> {
      if (bind.tls && !tls)
        throw new FlotillaError('CONFIG_INVALID', 'this network has no TLS configuration to listen with');
      const serving = { handler, makeCall, clock, limits, pathOptions, failed };
      const http1 = http1Tongue({ ...serving, answerNow: answerNowOf(handler), random, logger, refusalPage });
      const tongues = [http1, ...(options.tongues?.(handler, bind, serving) ?? [])];
      return SocketListener.open(bind, { tongues, clock, logger, limits, tls: bind.tls ? tls : undefined });
    },
    connect(target: HttpTarget): Endpoint<HttpRequest, HttpResponse> {
      return poolEndpoint(target, pool, target.protocol === 'https' ? tls : undefined);
    },
  } satisfies HttpNetwork;
}

/** The caller is told nothing of an INTERNAL error but its trace id: the reason has to be found here. */
function failureLog(logger: Logger): FailureListener {
  return (error, { method, path }, call) => {
    if (error.code !== 'INTERNAL' || error.fromPeer) return;
    const { traceId } = call.trace;
    logger.error('a handler failed', { method, path: path.text, traceId, detail: error.detail, cause: error.cause });
  };
}
