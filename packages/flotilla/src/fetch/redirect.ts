import { FlotillaError } from '@flotilla/core';
import type { HttpResponse } from '@flotilla/http';
import { isReplayable, type PreparedRequest } from './request.ts';

/** Hops after the first request. */
export const mostRedirects = 5;

const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether an answer sends its caller elsewhere. */
export function isRedirect({ status, headers }: HttpResponse): boolean {
  return redirecting.has(status) && headers.has('location');
}

/**
 * The request that follows a redirect. It goes to the same service only: whoever could answer for one service could
 * otherwise send its callers, with their credentials, to any other.
 *
 * Method and body by the Fetch standard: 303, and 301 or 302 of a POST, become a GET; 307 and 308 send all again.
 * @throws FlotillaError BAD_RESPONSE for another host, a body that was a stream, or a location that is none
 */
export function redirected(request: PreparedRequest, { status, headers }: HttpResponse): PreparedRequest {
  const location = headers.get('location') ?? '';
  const url = URL.parse(location, request.url.href);
  const shown = JSON.stringify(location.slice(0, 200));
  if (!url) throw refused(request, status, `${shown} is no URL`);
  if (url.protocol !== request.url.protocol || url.host !== request.url.host || url.username !== '') {
    throw refused(request, status, `${shown} is another host`);
  }
  const toGet = status === 303 ? request.method !== 'HEAD' : status < 303 && request.method === 'POST';
  if (toGet) return { ...request, url, method: 'GET', headers: withoutBodyFields(request.headers), body: undefined };
  if (!isReplayable(request)) throw refused(request, status, 'the body was a stream, which cannot be sent again');
  return { ...request, url };
}

/** @throws FlotillaError BAD_RESPONSE */
export function refuseRedirect(request: PreparedRequest, { status }: HttpResponse, why: string): never {
  throw refused(request, status, why);
}

function refused({ url }: PreparedRequest, status: number, why: string): FlotillaError {
  const detail = `${url.host}${url.pathname} answered with a redirect (${status}) that is not followed: ${why}; "redirect: 'manual'" gives the answer itself`;
  return new FlotillaError('BAD_RESPONSE', detail, { fromPeer: true, executed: 'yes', data: { status } });
}

function withoutBodyFields(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location']) {
    kept.delete(name);
  }
  return kept;
}
