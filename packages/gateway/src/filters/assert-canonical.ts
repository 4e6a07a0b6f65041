import { FlotillaError } from '@flotilla/core';
import { parsePath, type RequestPath } from '@flotilla/http';
import type { RouteDefinition } from '../route-document.ts';

/**
 * A path that a filter made, if it is canonical already. Were it not, the upstream might resolve another path than
 * the one that the routes were asked about.
 * @throws FlotillaError MALFORMED_REQUEST
 */
export function assertCanonical(
  path: Pick<RequestPath, 'text'>,
  encodedSlash: RouteDefinition['encodedSlash'],
): RequestPath {
  const canonical = parsePath(path.text, { encodedSlash });
  if (canonical.text === path.text) return canonical;
  throw new FlotillaError(
    'MALFORMED_REQUEST',
    `the rewritten path "${path.text}" would be read as "${canonical.text}"`,
  );
}
