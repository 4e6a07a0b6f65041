import type { Address, FlotillaError, Instance, LogFields, Logger } from '@flotilla/core';
import type { AppliedTable } from './applied-table.ts';
import type { Exchange } from './exchange.ts';

/** Every line that a gateway can write. */
export interface GatewayLog {
  /** The access log: one line for each request, at its end. Never the query: it may hold secrets. */
  request(exchange: Exchange, durationMs: number): void;
  /** A promise to a caller was broken, and this side is to blame. */
  failed(exchange: Exchange, error: FlotillaError): void;
  applied(table: AppliedTable): void;
  refused(version: number, error: FlotillaError): void;
  upstreamNotClosed(upstream: string, cause: unknown): void;
  /** A registry names an address that is not dialled. */
  instanceRefused(instance: Instance, address: Address, why: string): void;
  /** Sockets of routes that changed, or of a gateway that stops. */
  socketsDrain(sockets: number, afterMs: number): void;
}

/** Longer texts are cut: the log is bounded, whatever clients send. */
const maxTextLength = 1_000;

/** @param accessLog false: no line for each request. */
export function gatewayLog(logger: Logger, accessLog: boolean): GatewayLog {
  return {
    request(exchange, durationMs) {
      if (accessLog) logger.info('request', accessFields(exchange, durationMs));
    },
    failed(exchange, { detail, cause }) {
      logger.error('request failed', { ...requestFields(exchange), detail: detail.slice(0, maxTextLength), cause });
    },
    applied: (table) => logger.info('routes applied', { ...table }),
    refused: (version, { detail }) =>
      logger.error('routes refused; the table before stays', { version, mistakes: detail }),
    instanceRefused: ({ id, identity }, { protocol, host, port }, why) =>
      logger.warn('instance refused: the registry names an address that is not dialled', {
        service: identity.service,
        instance: id,
        address: `${protocol}://${host.slice(0, 255)}:${port}`,
        why,
      }),
    socketsDrain: (sockets, afterMs) => logger.info('WebSockets will be closed', { sockets, afterMs }),
    upstreamNotClosed: (upstream, cause) => logger.warn('upstream did not close cleanly', { upstream, cause }),
  };
}

/** Every line that `watchRoutes` can write. */
export interface RouteFileLog {
  /** The file cannot be read or has mistakes. */
  refused(file: string, error: FlotillaError): void;
  /** The file cannot be used, so the last good version of it is. */
  fellBack(file: string, error: FlotillaError): void;
  notKept(file: string, cause: unknown): void;
}

/** Lines about a route file. */
export function routeFileLog(logger: Logger): RouteFileLog {
  return {
    refused: (file, { detail }) =>
      logger.error('route file refused; the routes before stay', { file, mistakes: detail }),
    fellBack: (file, { detail }) =>
      logger.error('route file refused; starting with the last good version of it', { file, mistakes: detail }),
    notKept: (file, cause) => logger.warn('last good routes could not be kept', { file, cause }),
  };
}

function accessFields(exchange: Exchange, durationMs: number): LogFields {
  const { request, table, status, bytesOut, upstream, socket, failure } = exchange;
  return {
    ...requestFields(exchange),
    status: status ?? failure?.httpStatus,
    durationMs: Math.round(durationMs * 10) / 10,
    bytesOut,
    client: table.trust.clientOf(request),
    upstream,
    outcome: failure?.code ?? 'OK',
    ...(socket?.openedAt === undefined
      ? undefined
      : { closedBy: socket.closedBy ?? 'failure', bytesIn: socket.bytesIn }),
    // What the caller was not told.
    reason: failure?.detail.slice(0, maxTextLength),
  };
}

function requestFields({ request, route, call }: Exchange): LogFields {
  return {
    method: request.method,
    path: request.path.text.slice(0, maxTextLength),
    route: route?.definition.id,
    traceId: call.trace.traceId,
  };
}
