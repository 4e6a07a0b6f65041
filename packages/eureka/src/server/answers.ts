import type { Call, FlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type HttpResponse } from '@flotilla/http';
import { basicChallenge } from '@flotilla/registry/server';
import { escapeXml } from '../xml/write-xml.ts';
import { type DocumentType, errorType } from './negotiation.ts';

/** A document that is already written. */
export function document(text: string | Uint8Array, type: string, status = 200): HttpResponse {
  const headers = new HttpHeaders([
    ['content-type', type],
    ['cache-control', 'no-store'],
  ]);
  return { status, headers, body: typeof text === 'string' ? Buffer.from(text) : text };
}

/**
 * An answer without a body. Heartbeats get no other: clients of Jersey 3 read any body of a heartbeat as an instance, and
 * one that gets a 404 with a body never registers again.
 */
export function empty(status: number): HttpResponse {
  return { status, headers: new HttpHeaders(), body: undefined };
}

/**
 * Why a registration is refused: the words of `ApplicationResource#addInstance` as plain text, or, for a body that cannot
 * be parsed, its document, with what is wrong beside it.
 * @param type of the body.
 */
export function refusedRegistration({ code, detail }: FlotillaError, type: DocumentType): HttpResponse {
  if (code === 'INVALID_INPUT') return document(detail, 'text/plain; charset=utf-8', 400);
  const message = 'cannot parse request body';
  if (type === 'application/json') return document(JSON.stringify({ error: message, detail }), type, 400);
  const text = `<error><message>${message}</message><detail>${escapeXml(detail)}</detail></error>`;
  return document(text, type, 400);
}

/**
 * An error as Spring's servers tell it, in JSON for whoever has no wish, in XML, as a page, or without a body, whichever
 * the client accepts; `message` says what to do about it.
 * @param allow the methods that the address takes, for METHOD_NOT_ALLOWED.
 */
export function failure(
  error: FlotillaError,
  { headers, path }: HttpRequest,
  call: Call,
  allow?: string,
): HttpResponse {
  const { httpStatus: status, detail: message } = error;
  const timestamp = new Date(call.clock.wallNow()).toISOString().replace('Z', '+00:00');
  const facts = { timestamp, status, error: reasons[status] ?? 'Error', message, path: path.text };
  return withFields(written(facts, errorType(headers)), error, allow);
}

/** {@link failure} without a body, for {@link empty}'s reason. */
export function silentFailure(error: FlotillaError, allow?: string): HttpResponse {
  return withFields(empty(error.httpStatus), error, allow);
}

type Facts = Readonly<Record<'timestamp' | 'error' | 'message' | 'path', string>> & { readonly status: number };

function written(facts: Facts, type: ReturnType<typeof errorType>): HttpResponse {
  if (type === 'application/json') return document(JSON.stringify(facts), type, facts.status);
  if (type === 'application/xml' || type === 'text/xml') {
    const members = Object.entries(facts).map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`);
    return document(`<Map>${members.join('')}</Map>`, `${type};charset=UTF-8`, facts.status);
  }
  if (type === undefined) return empty(facts.status);
  const title = escapeXml(`${facts.status} ${facts.error}`);
  return page(`<title>${title}</title><h1>${title}</h1><p>${escapeXml(facts.message)}</p>`, facts.status);
}

/** An HTML page without scripts. @param body behind the head of every page. */
export function page(body: string, status = 200): HttpResponse {
  const response = document(`<!doctype html><meta charset="utf-8">${body}\n`, 'text/html;charset=UTF-8', status);
  response.headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
  response.headers.set('x-content-type-options', 'nosniff');
  response.headers.set('referrer-policy', 'no-referrer');
  return response;
}

function withFields(response: HttpResponse, error: FlotillaError, allow: string | undefined): HttpResponse {
  const { headers } = response;
  if (allow !== undefined) headers.set('allow', allow);
  if (error.retryAfterMs !== undefined) headers.set('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)));
  if (error.code === 'UNAUTHENTICATED') headers.set(...basicChallenge);
  return response;
}

/** RFC 9110 §15, as Spring words them. */
const reasons: Readonly<Record<number, string>> = Object.freeze({
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
});
