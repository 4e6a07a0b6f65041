import { FlotillaError, type Identity, parseIdentity } from '@flotilla/core';
import { errorFromResponse, HttpHeaders } from '@flotilla/http';
import { type Fetched, fetchUrl } from './http-get.ts';

/** A registry, as an operator speaks to it. A user and password in the URL go as Basic credentials. */
export class RegistryApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.endsWith('/') ? url.slice(0, -1) : url;
  }

  /** @param path after `/v1`. @throws FlotillaError what the registry says, CONNECT_FAILED */
  async json(method: string, path: string, body?: unknown): Promise<unknown> {
    const text = await (await this.open(method, path, body)).text();
    return text === '' ? undefined : JSON.parse(text);
  }

  /** As {@link json}, with the answer's body still to be read. */
  async open(method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<Fetched> {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetchUrl(`${this.#url}/v1/${path}`, { method, ...init, ...sent });
    if (answer.status < 300) return answer;
    const headers = new HttpHeaders([['content-type', answer.type]]);
    const problem = Buffer.from(await answer.text());
    throw errorFromResponse({ status: answer.status, headers, body: problem }, problem);
  }
}

/**
 * Path and query of something of a service, which is named by the text form of its identity.
 * @throws FlotillaError INVALID_INPUT
 */
export function servicePath(service: string, ...rest: readonly string[]): string {
  const { service: name, ...parts } = parseIdentity(service);
  const path = ['services', name, ...rest].map(encodeURIComponent).join('/');
  const query = new URLSearchParams(Object.entries(usual(parts)));
  return query.size === 0 ? path : `${path}?${query}`;
}

/** Without what is the default. */
function usual({ namespace, group, version }: Omit<Identity, 'service'>): Record<string, string> {
  return {
    ...(namespace === 'default' ? undefined : { namespace }),
    ...(group === 'default' ? undefined : { group }),
    ...(version === '' ? undefined : { version }),
  };
}

/** @throws FlotillaError BAD_RESPONSE unless it is an object: something else listens there. */
export function objectOf(answer: unknown): Readonly<Record<string, unknown>> {
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return answer as Record<string, unknown>;
  throw new FlotillaError('BAD_RESPONSE', 'what answers there is no registry of ours');
}
