import { Call, type Clock, type Endpoint, FlotillaError, type Random } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type HttpResponse, parsePath } from '@flotilla/http';

/** Fetches from a party: a path, and what `fetch` takes besides. */
export type FetchPath = (path: string, init?: RequestInit) => Promise<Response>;

/** What {@link fetchThrough} needs. */
export interface FetchNeeds {
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
  /** The `host` that is asked for, as a browser would name it. */
  readonly authority: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** No answer within this time on the fleet's clock: DEADLINE_EXCEEDED. Above every time-out of a gateway's default. */
const timeoutMs = 120_000;

/**
 * `fetch` over an endpoint of the fleet's network. Redirects are answers like others.
 * @throws FlotillaError CONNECT_FAILED, CONNECTION_LOST, DEADLINE_EXCEEDED, where `fetch` would throw a TypeError.
 */
export async function fetchThrough(needs: FetchNeeds, path: string, init: RequestInit = {}): Promise<Response> {
  if (!path.startsWith('/')) throw new TypeError(`a path begins with "/", got "${path}"`);
  const asked = new Request(new URL(path, 'http://fleet'), init);
  const { clock, random } = needs;
  const call = new Call({ clock, random, deadline: clock.now() + timeoutMs });
  const cancel = (): void => call.cancel(new FlotillaError('CANCELLED', 'the signal of fetch was aborted'));
  if (asked.signal.aborted) cancel();
  else asked.signal.addEventListener('abort', cancel, { once: true });
  call.onEnd(() => asked.signal.removeEventListener('abort', cancel));
  const url = new URL(asked.url);
  const response = await needs.endpoint.handle(
    {
      method: asked.method,
      authority: new HttpHeaders([...asked.headers]).get('host') ?? needs.authority,
      path: parsePath(url.pathname, { encodedSlash: 'keep' }),
      query: url.search.slice(1),
      headers: new HttpHeaders([...asked.headers].filter(([name]) => name !== 'host')),
      body: await bodyOf(asked, init),
    },
    call,
  );
  return asResponse(response);
}

/** What is all there goes as bytes; a stream goes as one. */
async function bodyOf(asked: Request, init: RequestInit): Promise<HttpRequest['body']> {
  if (asked.body === null) return undefined;
  if (init.body instanceof ReadableStream) return asked.body;
  return new Uint8Array(await asked.arrayBuffer());
}

function asResponse({ status, headers, body }: HttpResponse): Response {
  const fields = new Headers();
  for (const [name, value] of headers) fields.append(name, value);
  const empty = body === undefined || status === 204 || status === 304;
  const bytes = body instanceof Uint8Array ? [body] : (body ?? []);
  return new Response(empty ? null : ReadableStream.from<Uint8Array>(bytes), { status, headers: fields });
}
