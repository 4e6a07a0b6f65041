import {
  composeEndpoint,
  type Endpoint,
  type Filter,
  FlotillaError,
  type Instance,
  toFlotillaError,
} from '@flotilla/core';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { parsePath, pathFromText } from './path.ts';

/**
 * The entry of an instance's metadata that says under which path everything it serves stands: `/ctx`. Only this one
 * counts: no client of Spring looks at `homePageUrl` or at `management.context-path` when it calls a service, so callers
 * of an instance without this entry write the whole path, as they do there.
 */
export const contextPathKey = 'http.context-path';

/**
 * An endpoint whose requests reach the instance below its context path, if its metadata names one: `/x` becomes `/ctx/x`.
 * An entry that is no path makes the instance unusable: its calls fail with CONNECT_FAILED, so that others take them.
 */
export function mountAt(
  instance: Pick<Instance, 'id' | 'metadata'>,
  endpoint: Endpoint<HttpRequest, HttpResponse>,
): Endpoint<HttpRequest, HttpResponse> {
  const written = Object.hasOwn(instance.metadata, contextPathKey) ? instance.metadata[contextPathKey] : undefined;
  if (written === undefined || written === '' || written === '/') return endpoint;
  return composeEndpoint([prefixed(written, instance.id)], endpoint);
}

/**
 * A context path as it is written before others: `/ctx`, without a slash at the end; empty for `/`.
 * @throws FlotillaError CONFIG_INVALID
 */
export function readContextPath(written: string, whose: string): string {
  try {
    return pathFromText(written).text.replace(/\/$/, '');
  } catch (cause) {
    const shown = JSON.stringify(written.slice(0, 80));
    throw new FlotillaError('CONFIG_INVALID', `the context path ${shown} of "${whose}" is no path such as "/ctx"`, {
      cause,
    });
  }
}

function prefixed(written: string, whose: string): Filter<HttpRequest, HttpResponse> {
  try {
    return below(readContextPath(written, whose));
  } catch (cause) {
    return () => async (_, call) => {
      const error = new FlotillaError('CONNECT_FAILED', toFlotillaError(cause).detail, { cause });
      call.end(error);
      throw error;
    };
  }
}

function below(prefix: string): Filter<HttpRequest, HttpResponse> {
  return (next) => (request, call) =>
    next({ ...request, path: parsePath(`${prefix}${request.path.text}`, { encodedSlash: 'keep' }) }, call);
}
