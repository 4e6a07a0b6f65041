import { type Attribute, attribute, FlotillaError } from '@flotilla/core';
import type { HttpHandler, HttpResponse } from './exchange.ts';
import { HttpHeaders } from './headers.ts';
import { problemResponse } from './problem-response.ts';
import { answeringNow, answerNowOf } from './prompt.ts';
import type { RouteSpec } from './route-spec.ts';
import { compileRoutes } from './routes.ts';

/** What the names in the pattern of the route took, for the handler that {@link routesHandler} chose. */
export const paramsAttribute: Attribute<ReadonlyMap<string, string>> = attribute('params');

/** The pattern of the route that was chosen: a name for metrics and logs that has few values. */
export const patternAttribute: Attribute<string> = attribute('pattern');

/**
 * A handler that hands each request to the route that takes it. Where none does it answers itself: OPTIONS with 204 and
 * the field `allow`, another method with a problem METHOD_NOT_ALLOWED and that field, another address with NO_ROUTE. An
 * error that a route rejects with goes on to the caller. It answers at once ({@link answeringNow}) what its routes do.
 *
 * @throws FlotillaError CONFIG_INVALID for a bad pattern, and for two routes that take exactly the same requests
 */
export function routesHandler(specs: readonly RouteSpec<HttpHandler>[]): HttpHandler {
  const table = compileRoutes(specs);
  assertNoneShadowed(specs, table.shadowed);
  const handler: HttpHandler = async (request, call) => {
    const match = table.match(request);
    if (match.kind === 'found') {
      call.set(paramsAttribute, match.params);
      call.set(patternAttribute, match.pattern);
      return match.value(request, call);
    }
    const shown = `${request.method} ${request.path.text.slice(0, 200)}`;
    if (match.kind === 'none') {
      return problemResponse(new FlotillaError('NO_ROUTE', `nothing is served at ${shown}`), call);
    }
    const allow = [...new Set([...match.allow, 'OPTIONS'])].sort().join(', ');
    if (request.method === 'OPTIONS') return options(allow);
    const error = new FlotillaError('METHOD_NOT_ALLOWED', `${shown} is not served; this address takes ${allow}`);
    return problemResponse(error, call, [['allow', allow]]);
  };
  if (!specs.some(({ value }) => answerNowOf(value))) return handler;
  return answeringNow(handler, (request, { clock }) => {
    const match = table.match(request);
    if (match.kind !== 'found') return undefined;
    return answerNowOf(match.value)?.(request, { clock, params: match.params });
  });
}

function options(allow: string): HttpResponse {
  return { status: 204, headers: new HttpHeaders([['allow', allow]]), body: undefined };
}

function assertNoneShadowed(specs: readonly RouteSpec<HttpHandler>[], shadowed: readonly number[]): void {
  const [first] = shadowed;
  if (first === undefined) return;
  const { methods = ['every method'], path = '' } = specs[first] ?? {};
  const detail = `the route ${methods.join(', ')} ${path} can never be reached: another one takes exactly the same requests`;
  throw new FlotillaError('CONFIG_INVALID', detail);
}
