import type { Call, FlotillaError, Span } from '@flotilla/core';
import type { HttpRequest } from '@flotilla/http';
import { noteUpstreamAttribute, type UpstreamAttempt } from './note-upstream.ts';
import type { Route } from './route.ts';
import type { Table } from './table.ts';
import type { OpenSocket } from './websocket/open-socket.ts';

/** One request with what the gateway learns of it on its way, for metrics, traces and the access log. */
export interface Exchange {
  /** As it came in. */
  readonly request: HttpRequest;
  /** The gateway's own call; its trace is the one that upstreams see. */
  readonly call: Call;
  /** The listener's call: it lasts until the last byte is with the client. */
  readonly outer: Call;
  /** The routes that hold for it. */
  table: Table;
  /** What of it has passed gateways, this one last. */
  readonly passed: readonly string[];
  /** The route that took it. */
  route: Route | undefined;
  span: Span | undefined;
  /** Id of the instance that was asked last, or the fixed address. */
  upstream: string | undefined;
  /** The last tries, for a developer. */
  readonly attempts: UpstreamAttempt[];
  /** Status of the answer that was given to the listener. */
  status: number | undefined;
  /** Bytes of the answer's body that were passed on. */
  bytesOut: number;
  /** The WebSocket that it asks for, once it may. */
  socket: OpenSocket | undefined;
  /** Why the gateway answered by itself, or broke off. */
  failure: FlotillaError | undefined;
  /** Fields that such an answer has besides those of a problem. */
  refusalFields: readonly (readonly [name: string, value: string])[];
}

/** More than any route may make. */
const maxAttempts = 33;

/** A request that has just come in. */
export function newExchange(
  request: HttpRequest,
  call: Call,
  outer: Call,
  table: Table,
  passed: readonly string[],
): Exchange {
  const exchange: Exchange = {
    request,
    call,
    outer,
    table,
    passed,
    route: undefined,
    span: undefined,
    upstream: undefined,
    attempts: [],
    status: undefined,
    bytesOut: 0,
    socket: undefined,
    failure: undefined,
    refusalFields: [],
  };
  call.set(noteUpstreamAttribute, (attempt) => {
    exchange.upstream = attempt.name;
    if (exchange.attempts.length < maxAttempts) exchange.attempts.push(attempt);
  });
  return exchange;
}
