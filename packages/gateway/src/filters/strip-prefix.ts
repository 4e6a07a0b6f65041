import { type HttpRequest, stripSegments } from '@flotilla/http';
import type { RouteDefinition } from '../route-document.ts';
import { assertCanonical } from './assert-canonical.ts';

/** Drops the first segments of the path: `/shop/cart` without one is `/cart`. What has no more becomes `/`. */
export function stripPrefix(
  segments: number,
  encodedSlash: RouteDefinition['encodedSlash'],
): (request: HttpRequest) => HttpRequest {
  return (request) => ({ ...request, path: assertCanonical(stripSegments(request.path, segments), encodedSlash) });
}
