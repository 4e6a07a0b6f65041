import type { FlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpResponse } from '@flotilla/http';

/** JSON that is already written. */
export function jsonText(text: string): HttpResponse {
  return answer(200, 'application/json', text);
}

export function json(value: unknown): HttpResponse {
  return jsonText(JSON.stringify(value));
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
 * be parsed, its JSON, with what is wrong beside it.
 */
export function refusedRegistration({ code, detail }: FlotillaError): HttpResponse {
  if (code === 'INVALID_INPUT') return answer(400, 'text/plain; charset=utf-8', detail);
  return answer(400, 'application/json', JSON.stringify({ error: 'cannot parse request body', detail }));
}

function answer(status: number, type: string, text: string): HttpResponse {
  const headers = new HttpHeaders([
    ['content-type', type],
    ['cache-control', 'no-store'],
  ]);
  return { status, headers, body: Buffer.from(text) };
}
