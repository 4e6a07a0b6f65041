import { FlotillaError } from '@flotilla/core';
import { fetchUrl } from '../engines/http-get.ts';
import type { Output } from './output.ts';

/**
 * The OpenAPI document of a running process: `flotilla openapi catalog > catalog.json`.
 * @throws FlotillaError NO_ROUTE for a process that serves no contracts: the registry, the gateway
 */
export async function openapi(managementUrl: string, name: string, output: Output): Promise<void> {
  const response = await fetchUrl(`${managementUrl}/.well-known/openapi.json`);
  const text = await response.text();
  if (response.status === 404)
    throw new FlotillaError('NO_ROUTE', `"${name}" serves no contracts, so it has no document`);
  if (response.status >= 300) {
    throw new FlotillaError(
      'BAD_RESPONSE',
      `the management port of "${name}" answered ${response.status}: ${text.slice(0, 300)}`,
    );
  }
  output.print(JSON.stringify(JSON.parse(text), null, 2));
}
