import { type Call, FlotillaError, problemMediaType, toProblem } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type HttpResponse, isLoopback, problemResponse } from '@flotilla/http';
import { outsideProblem } from '../outside-problem.ts';
import { developerHtml } from './developer-html.ts';
import type { DeveloperView } from './developer-view.ts';
import { wantsPage } from './negotiate.ts';
import { pageFields, renderPage } from './page.ts';
import { sentenceFor } from './sentences.ts';

type Fields = Iterable<readonly [name: string, value: string]>;

/** How a failure is told. */
export interface Presentation {
  /** The field `accept` of the request. */
  readonly accept: string | undefined;
  readonly call?: Call | undefined;
  /** Besides those of the form. */
  readonly fields?: Fields | undefined;
  /** Present: whoever asks is the developer of this machine. */
  readonly developer?: DeveloperView | undefined;
}

/** A failure as an answer: a page for browsers, a problem document for everybody else. */
export function presentError(error: FlotillaError, presentation: Presentation): HttpResponse {
  const { accept, call, fields, developer } = presentation;
  const outside = outsideProblem(error);
  if (wantsPage(accept)) return page(outside, call, fields, developer);
  if (!developer) return problemResponse(outside, call, fields);
  const told = new FlotillaError(error.code, error.detail, {
    executed: outside.executed,
    ...(outside.retryAfterMs === undefined ? undefined : { retryAfterMs: outside.retryAfterMs }),
  });
  const { headers, status } = problemResponse(outside, call, fields);
  const document = { ...toProblem(told, call?.trace.traceId), status, developer };
  headers.set('content-type', problemMediaType);
  return { status, headers, body: utf8.encode(JSON.stringify(document)) };
}

/**
 * What a listener answers that refuses a request before the gateway sees it: give it to the network as `refusalPage`.
 * @returns undefined for a program: it gets the listener's own problem document
 */
export function refusalPage(error: FlotillaError, accept: string | undefined): HttpResponse | undefined {
  const { httpStatus, retryAfterMs } = error; // the status that the listener will write, which may be the error's own
  return wantsPage(accept) ? page({ httpStatus, retryAfterMs }, undefined, undefined, undefined) : undefined;
}

/**
 * Is it the developer of this machine who asks? The connection comes from the loopback, to a name of the loopback (another
 * name may be a page that rebinds it), and nobody says that he passes it on (a tunnel does). That a process shows
 * anything at all is its own configuration's word, never a request's.
 */
export function isDeveloper({ peer, authority, headers }: HttpRequest): boolean {
  if (!peer || !isLoopback(peer.address)) return false;
  const url = `http://${authority}`;
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  if (!isLoopback(host) && !host.endsWith('.localhost')) return false;
  return !passedOn.some((name) => headers.has(name));
}

const passedOn = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via', 'cf-connecting-ip'] as const;
const utf8 = new TextEncoder();

function page(
  { httpStatus: status, retryAfterMs }: Pick<FlotillaError, 'httpStatus' | 'retryAfterMs'>,
  call: Call | undefined,
  fields: Fields | undefined,
  developer: DeveloperView | undefined,
): HttpResponse {
  const headers = new HttpHeaders(pageFields);
  if (retryAfterMs !== undefined) headers.set('retry-after', String(Math.ceil(retryAfterMs / 1_000)));
  for (const [name, value] of fields ?? []) headers.set(name, value);
  const facts = { status, sentence: sentenceFor(status), traceId: call?.trace.traceId, retryAfterMs };
  return { status, headers, body: utf8.encode(renderPage(facts, developer && developerHtml(developer))) };
}
