import type { Logger } from '@flotilla/core';
import { type HttpHandler, HttpHeaders, type RouteSpec } from '@flotilla/http';
import { type OpenApi, openApiMediaType, openApiOf } from '@flotilla/rpc';
import { openApiPath } from '@flotilla/telemetry';
import type { AppParts } from './app.ts';

/**
 * The contracts of an application as OpenAPI 3.1; its plain routes are no operations, and are not in it.
 * @param url where it is reached. Undefined: where the document was found
 */
export function describeApp<S>(
  { name, options, bindings }: Pick<AppParts<S>, 'name' | 'options' | 'bindings'>,
  url?: string,
): OpenApi {
  const contracts = bindings.map(({ contract }) => contract);
  return openApiOf(contracts, { title: name, version: options.version, ...(url !== undefined && { servers: [url] }) });
}

/** The document on the service's own port, for services that are told to show it there. */
export function openApiRoute<S>(parts: AppParts<S>): RouteSpec<HttpHandler> {
  const body = new TextEncoder().encode(JSON.stringify(describeApp(parts).document));
  return {
    path: openApiPath,
    methods: ['GET'],
    value: async () => ({ status: 200, headers: new HttpHeaders([['content-type', openApiMediaType]]), body }),
  };
}

/** Once per start: which schemas say nothing of themselves. */
export function warnOfGaps({ warnings }: OpenApi, logger: Logger): void {
  if (warnings.length > 0) logger.warn('the OpenAPI document has gaps', { warnings });
}
