import type { HttpRequest, HttpResponse } from '@flotilla/http';

/** Values that a span or a log can carry. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/**
 * Names of attributes: OpenTelemetry semantic conventions, stable HTTP spans (1.23) and RPC spans. Written out here,
 * because the names are all that is needed of that package.
 */
export const semanticNames: Readonly<
  Record<'errorType' | 'httpMethod' | 'httpRoute' | 'httpStatus' | 'urlPath' | 'serverAddress' | 'serverPort', string> &
    Record<'rpcMethod' | 'rpcService' | 'rpcSystem', string>
> = Object.freeze({
  errorType: 'error.type',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  rpcMethod: 'rpc.method',
  rpcService: 'rpc.service',
  rpcSystem: 'rpc.system',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  urlPath: 'url.path',
});

const knownMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'QUERY',
]);

/** Attributes of an HTTP request. The query is left out: it may hold what nobody should see. */
export function httpRequestAttributes(request: HttpRequest): SpanAttributes {
  const { authority } = request;
  const colon = portAt(authority);
  const attributes: Record<string, string | number | boolean> = {
    [semanticNames.httpMethod]: knownMethods.has(request.method) ? request.method : '_OTHER',
    [semanticNames.urlPath]: request.path.text,
    [semanticNames.serverAddress]: colon < 0 ? authority : authority.slice(0, colon),
  };
  if (colon >= 0) attributes[semanticNames.serverPort] = Number(authority.slice(colon + 1));
  return attributes;
}

/** Where `:port` begins, one to five digits at the end; -1 where nothing does. */
function portAt(authority: string): number {
  const colon = authority.lastIndexOf(':');
  const digits = authority.length - colon - 1;
  if (colon < 0 || digits < 1 || digits > 5) return -1;
  for (let at = colon + 1; at < authority.length; at++) {
    const code = authority.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return -1;
  }
  return colon;
}

/** Attributes of an HTTP answer. */
export function httpResponseAttributes({ status }: HttpResponse): SpanAttributes {
  return { [semanticNames.httpStatus]: status };
}

/** Attributes of a call of an operation: `catalog`, `product`. */
export function rpcAttributes(contract: string, operation: string): SpanAttributes {
  return {
    [semanticNames.rpcSystem]: 'flotilla',
    [semanticNames.rpcService]: contract,
    [semanticNames.rpcMethod]: operation,
  };
}
