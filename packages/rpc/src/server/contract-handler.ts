import { FlotillaError, nearest } from '@flotilla/core';
import { type HttpHandler, type HttpRequest, type HttpResponse, type RouteSpec, routesHandler } from '@flotilla/http';
import { observe } from '@flotilla/telemetry';
import { addressShape } from '../contract/index.ts';
import type { Binding } from '../handlers.ts';
import { operationInfo } from '../operation-attribute.ts';
import { failOf } from '../operation-call.ts';
import { serverLog } from './log.ts';
import { serve } from './operation-server.ts';
import { type ContractHandlerOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { remembering } from './remember.ts';
import { answeredErrorAttribute, type ServedOperation } from './served-operation.ts';

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
  const served = servedOperations(bindings, resolved);
  const routes = [...served.map((operation) => routeOf(operation, resolved)), ...resolved.extraRoutes];
  try {
    return routesHandler(routes);
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError)) throw thrown;
    throw new FlotillaError('CONTRACT_INVALID', thrown.detail, { cause: thrown });
  }
}

/**
 * Every operation of some contracts with its handler: what any transport serves.
 * @throws FlotillaError CONTRACT_INVALID, as {@link contractHandler}
 */
export function servedOperations(bindings: readonly Binding[], options: ResolvedOptions): readonly ServedOperation[] {
  const served = bindings.flatMap((binding) => serveBinding(binding, options));
  assertApart(served);
  return served;
}

function serveBinding({ contract, handlers }: Binding, options: ResolvedOptions): ServedOperation[] {
  const { logger, maxBodyBytes, heartbeatMs, headWaitMs, clock, remember } = options;
  const log = serverLog(logger);
  assertComplete(contract.name, Object.keys(contract.operations), handlers);
  return Object.entries(contract.operations).flatMap(([operation, spec]) => {
    const mapping = contract.http.get(operation);
    const handler = handlers[operation];
    if (!mapping || !handler) return [];
    const name = `${contract.name}.${operation}`;
    const served: ServedOperation = {
      name,
      info: operationInfo(contract, operation, spec, mapping),
      contract,
      operation: spec,
      mapping,
      handler: handler.bind(handlers),
      fail: failOf(name, spec.errors),
      log,
      maxBodyBytes,
      heartbeatMs,
      headWaitMs,
      clock,
    };
    return remembering(served, remember);
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

function routeOf(served: ServedOperation, { logger, meter, tracer, protect }: ResolvedOptions): RouteSpec<HttpHandler> {
  const { method, path } = served.mapping;
  const observed = observe<HttpRequest, HttpResponse>({
    meter,
    tracer,
    logger,
    kind: 'server',
    name: () => served.name,
    failure: (_, call) => call.get(answeredErrorAttribute),
  });
  return {
    path,
    methods: [method],
    value: observed(
      protect<HttpRequest, HttpResponse>({ operation: served.name, streamed: served.info.streamed })((request, call) =>
        serve(served, request, call),
      ),
    ),
  };
}
