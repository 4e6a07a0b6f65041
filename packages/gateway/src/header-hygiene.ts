import {
  addForwarded,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  isHopByHop,
  isUntrusted,
  removeHopByHop,
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
export function cleanRequest(request: HttpRequest, trust: Trust, written: ReadonlySet<string>): HttpHeaders {
  const { peer, authority } = request;
  const headers = request.headers.copy();
  if (headers.has('connection')) removeHopByHop(headers, [...ownFields, ...written, ...webSocketFields]);
  headers.deleteWhere(trust.trusts(request) ? staysHereOfTrusted : staysHere);
  if (peer) addForwarded(headers, { peer, authority, scheme: peer.encrypted ? 'https' : 'http' });
  headers.append('via', pseudonym);
  return headers;
}

/** The header fields of an answer as they go on: what concerns the inside stays inside. */
export function cleanResponse(response: HttpResponse): HttpResponse {
  const headers = response.headers.copy();
  if (headers.has('connection')) removeHopByHop(headers, webSocketFields, { message: 'response' });
  headers.deleteWhere(staysHere);
  return { status: response.status, headers, body: response.body };
}

/** Names that a stranger, or an upstream, sends and that do not go on. */
const staysHere = remembered((name) => isHopByHop(name) || isUntrusted(name) || isContext(name));

/** The same of a peer that is trusted: what it says about others goes on. */
const staysHereOfTrusted = remembered((name) => isHopByHop(name) || isContext(name));

function isContext(name: string): boolean {
  return foreignContext.has(name) || name.startsWith('x-b3-') || name.startsWith('flotilla-');
}

/** So many names are remembered: those of strangers are without number, those that nearly all messages have come again. */
const mostRemembered = 512;

/** A rule about names that is asked once for each of the first ones: one look in a map instead of many comparisons. */
function remembered(rule: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const verdict = rule(name);
    if (known.size >= mostRemembered) known.clear();
    known.set(name, verdict);
    return verdict;
  };
}
