import type { Counter, Gauge, Histogram, Meter } from '@flotilla/core';
import type { ClosedBy } from './websocket/open-socket.ts';

/** From a glance to a working day. */
const socketBuckets = [1, 10, 60, 300, 1_800, 3_600, 14_400, 28_800] as const;

/** The label of requests that no route wanted; it is no valid id, so no route can have it. */
export const noRoute = '(none)';

/** What is counted for one route, or for {@link noRoute}. Series are made once and kept. */
export interface RouteMetrics {
  /** A request is over. @param code status that the client got; 499 when it was gone before */
  ended(code: number, durationMs: number): void;
  /** The gateway answered by itself, or broke off. @param code of the error table */
  failed(code: string): void;
  /** WebSockets that are open now. */
  sockets(open: number): void;
  /** A WebSocket is over. @param by who ended it */
  socketClosed(by: ClosedBy, durationMs: number): void;
}

/** All metrics of a gateway. */
export interface GatewayMetrics {
  route(id: string): RouteMetrics;
  readonly inFlight: Gauge;
  readonly tableVersion: Gauge;
  readonly reloads: { readonly applied: Counter; readonly refused: Counter };
}

/** Registers the metrics. Labels are bounded: ids come from the document, codes from HTTP and from the error table. */
export function gatewayMetrics(meter: Meter): GatewayMetrics {
  const requests = meter.counter({
    name: 'flotilla_gateway_requests_total',
    help: 'Requests that are over, by route and status; 499: the client was gone before the answer.',
    labels: ['route', 'code'],
  });
  const duration = meter.histogram({
    name: 'flotilla_gateway_duration_seconds',
    help: 'Seconds from the head of a request to the last byte of its answer.',
    labels: ['route'],
  });
  const failures = meter.counter({
    name: 'flotilla_gateway_failures_total',
    help: 'Requests that the gateway answered by itself or broke off, by error code.',
    labels: ['route', 'code'],
  });
  const reloads = meter.counter({
    name: 'flotilla_gateway_reloads_total',
    help: 'Route documents that were applied or refused.',
    labels: ['result'],
  });
  const sockets = meter.gauge({
    name: 'flotilla_gateway_websockets',
    help: 'WebSockets that are open or in their handshake, by route.',
    labels: ['route'],
  });
  const socketsClosed = meter.counter({
    name: 'flotilla_gateway_websockets_closed_total',
    help: 'WebSockets that were open and are over, by route and by who ended them.',
    labels: ['route', 'by'],
  });
  const socketSeconds = meter.histogram({
    name: 'flotilla_gateway_websocket_duration_seconds',
    help: 'Seconds from the answer 101 to the last byte of a WebSocket.',
    labels: ['route'],
    buckets: socketBuckets,
  });
  const inFlight = meter.gauge({ name: 'flotilla_gateway_in_flight', help: 'Requests in hand, to their last byte.' });
  const version = meter.gauge({ name: 'flotilla_gateway_table_version', help: 'Version of the routes in use.' });
  return {
    route: (route) => {
      const seconds: Histogram = duration.with({ route });
      const ended = remembered((code: number) => requests.with({ route, code: `${code}` }));
      const failed = remembered((code: string) => failures.with({ route, code }));
      return {
        ended(code, durationMs) {
          ended(code).add();
          seconds.record(durationMs / 1_000);
        },
        failed: (code) => failed(code).add(),
        sockets: (open) => sockets.with({ route }).set(open),
        socketClosed(by, durationMs) {
          socketsClosed.with({ route, by }).add();
          socketSeconds.with({ route }).record(durationMs / 1_000);
        },
      };
    },
    inFlight: inFlight.with({}),
    tableVersion: version.with({}),
    reloads: { applied: reloads.with({ result: 'applied' }), refused: reloads.with({ result: 'refused' }) },
  };
}

function remembered<Key, Series>(make: (key: Key) => Series): (key: Key) => Series {
  const known = new Map<Key, Series>();
  return (key) => {
    const series = known.get(key) ?? make(key);
    known.set(key, series);
    return series;
  };
}
