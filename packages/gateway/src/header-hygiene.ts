import {
  addForwarded,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  removeHopByHop,
  removeUntrusted,
  webSocketFields,
} from '@flotilla/http';
import type { Trust } from './trust.ts';

/** Fields that the gateway, or the connection to the upstream, writes by itself. */
const ownFields: readonly string[] = ['traceparent', 'tracestate', 'baggage', 'priority', 'idempotency-key', 'via'];

/**
 * Context of a call in the words of others. Services of ours, or libraries in them, would continue it; where a trusted
 * peer's context is continued, it was read before and is written anew.
 */
const foreignContext: ReadonlySet<string> = new Set([
  'traceparent',
  'tracestate',
  'baggage',
  'priority',
  'b3',
  'uber-trace-id',
  'x-amzn-trace-id',
  'x-cloud-trace-context',
  'grpc-timeout',
  'connect-timeout-ms',
]);

/** RFC 9110 §7.6.3: a gateway says so on requests. The name says nothing about where it stands. */
const pseudonym = '1.1 flotilla';

/**
 * The header fields of a request as they go on, in this order: fields of the connection off, identity and context that
 * a stranger may not claim off, our own on.
 * @param written fields that the route's filters will write: `connection` may not name them
 * @throws FlotillaError MALFORMED_REQUEST when `connection` names a field that has to arrive
 */
export function cleanRequest(request: HttpRequest, trust: Trust, written: ReadonlySet<string>): HttpRequest {
  const { peer, authority } = request;
  const headers = request.headers.copy();
  removeHopByHop(headers, headers.has('connection') ? [...ownFields, ...written, ...webSocketFields] : []);
  if (!trust.trusts(request)) removeUntrusted(headers);
  removeContext(headers);
  if (peer) addForwarded(headers, { peer, authority, scheme: peer.encrypted ? 'https' : 'http' });
  headers.append('via', pseudonym);
  return { ...request, headers };
}

/** The header fields of an answer as they go on: what concerns the inside stays inside. */
export function cleanResponse(response: HttpResponse): HttpResponse {
  const headers = response.headers.copy();
  removeHopByHop(headers, webSocketFields, { message: 'response' });
  removeUntrusted(headers);
  removeContext(headers);
  return { ...response, headers };
}

function removeContext(headers: HttpHeaders): void {
  headers.deleteWhere((name) => foreignContext.has(name) || name.startsWith('x-b3-') || name.startsWith('flotilla-'));
}
