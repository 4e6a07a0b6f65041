import { FlotillaError, nearest } from '@flotilla/core';
import {
  compileRoutes,
  type HttpHandler,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  paramsAttribute,
  patternAttribute,
  problemResponse,
  type RouteSpec,
} from '@flotilla/http';
import { addressShape } from '../contract/index.ts';
import type { Binding } from '../handlers.ts';
import { failOf } from '../operation-call.ts';
import { serverLog } from './log.ts';
import { serverObservers } from './observation.ts';
import { type ServedOperation, serve } from './operation-server.ts';
import { type ContractHandlerOptions, type ResolvedOptions, resolveOptions } from './options.ts';

/**
 * Serves contracts over HTTP and JSON, as many as there are, beside routes of other kinds. A GET address answers HEAD
 * too; OPTIONS answers 204 with `allow`; another method METHOD_NOT_ALLOWED, another address NO_ROUTE.
 *
 * ```ts
 * const handler = contractHandler([bind(catalog, handlers)], { logger });
 * await network.listen({ host: '127.0.0.1', port: 8080 }, handler);
 * ```
 *
 * @throws RangeError for an option that cannot be used
 * @throws FlotillaError CONTRACT_INVALID naming both operations at one address, a handler that is missing, or one too many
 */
export function contractHandler(bindings: readonly Binding[], options: ContractHandlerOptions = {}): HttpHandler {
  const resolved = resolveOptions(options);
  const served = bindings.flatMap((binding) => serveBinding(binding, resolved));
  assertApart(served);
  const routes = [...served.map(routeOf), ...resolved.extraRoutes.map(extraRoute)];
  const table = compileRoutes(routes);
  const [shadowed] = table.shadowed;
  if (shadowed !== undefined) throw shadows(routes[shadowed]);
  return async (request, call) => {
    const match = table.match(request);
    if (match.kind === 'found') {
      call.set(patternAttribute, match.pattern);
      return match.value(request, match.params, call);
    }
    const shown = `${request.method} ${request.path.text.slice(0, 200)}`;
    if (match.kind === 'none') {
      return problemResponse(new FlotillaError('NO_ROUTE', `nothing is served at ${shown}`), call);
    }
    const allow = allowed(match.allow);
    if (request.method === 'OPTIONS') return options204(allow);
    const error = new FlotillaError('METHOD_NOT_ALLOWED', `${shown} is not served; this address takes ${allow}`);
    return problemResponse(error, call, [['allow', allow]]);
  };
}

type Serve = (
  request: HttpRequest,
  params: ReadonlyMap<string, string>,
  call: Parameters<HttpHandler>[1],
) => Promise<HttpResponse>;

function serveBinding({ contract, handlers }: Binding, options: ResolvedOptions): ServedOperation[] {
  const { logger, meter, tracer, maxBodyBytes, heartbeatMs, headWaitMs, clock } = options;
  const log = serverLog(logger);
  const observer = serverObservers(meter, tracer);
  assertComplete(contract.name, Object.keys(contract.operations), handlers);
  return Object.entries(contract.operations).flatMap(([operation, spec]) => {
    const mapping = contract.http.get(operation);
    const handler = handlers[operation];
    if (!mapping || !handler) return [];
    const name = `${contract.name}.${operation}`;
    const { kind, idempotent } = spec;
    return {
      name,
      info: Object.freeze({ contract: contract.name, version: contract.version, operation, kind, idempotent }),
      operation: spec,
      mapping,
      handler: handler.bind(handlers),
      fail: failOf(name, spec.errors),
      observer: observer(name),
      log,
      maxBodyBytes,
      heartbeatMs,
      headWaitMs,
      clock,
    };
  });
}

function assertComplete(contract: string, operations: readonly string[], handlers: Binding['handlers']): void {
  const missing = operations.filter((operation) => typeof handlers[operation] !== 'function');
  if (missing.length > 0) {
    throw new FlotillaError(
      'CONTRACT_INVALID',
      `contract "${contract}" is served without a handler for ${missing.join(', ')}`,
    );
  }
  for (const name of Object.keys(handlers)) {
    if (operations.includes(name)) continue;
    const meant = nearest(name, operations);
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    throw new FlotillaError('CONTRACT_INVALID', `contract "${contract}" has no operation "${name}"${hint}`);
  }
}

/** Parameters' names make no difference: `/a/{x}` and `/a/{y}` take the same requests. */
function assertApart(served: readonly ServedOperation[]): void {
  const taken = new Map<string, string>();
  for (const { name, info, mapping } of served) {
    const address = addressShape(mapping.method, mapping.path);
    const shown = `${name} (version ${info.version})`;
    const other = taken.get(address);
    if (other !== undefined) {
      const detail = `${other} and ${shown} are both at ${mapping.method} ${mapping.path}: give one another address`;
      throw new FlotillaError('CONTRACT_INVALID', detail);
    }
    taken.set(address, shown);
  }
}

function routeOf(served: ServedOperation): RouteSpec<Serve> {
  const { method, path } = served.mapping;
  return { path, methods: [method], value: (request, params, call) => serve(served, request, params, call) };
}

function extraRoute(spec: RouteSpec<HttpHandler>): RouteSpec<Serve> {
  const { value: handler } = spec;
  return {
    ...spec,
    value(request, params, call) {
      call.set(paramsAttribute, params);
      return handler(request, call);
    },
  };
}

function shadows(spec: RouteSpec<Serve> | undefined): FlotillaError {
  const shown = `${spec?.methods?.join(', ') ?? 'every method'} ${spec?.path}`;
  const detail = `the extra route ${shown} can never be reached: an operation or another route has exactly this address`;
  return new FlotillaError('CONTRACT_INVALID', detail);
}

function allowed(methods: readonly string[]): string {
  return [...new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])].sort().join(', ');
}

function options204(allow: string): HttpResponse {
  return { status: 204, headers: new HttpHeaders([['allow', allow]]), body: undefined };
}
