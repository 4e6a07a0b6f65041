import { FlotillaError, type Identity, parseIdentity } from '@flotilla/core';
import { errorFromResponse, HttpHeaders } from '@flotilla/http';
import { type Fetched, fetchUrl } from './http-get.ts';

/**
 * A registry, as an operator speaks to it: of several nodes the first that answers. A user and password in a URL go as Basic
 * credentials.
 */
export class RegistryApi {
  readonly #urls: readonly string[];

  /** @param urls with commas between them. @throws FlotillaError CONFIG_INVALID for what is no URL */
  constructor(urls: string) {
    this.#urls = urls.split(',').map((url) => readUrl(url.trim()));
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
    const { answer, url } = await this.#ask(path, { method, ...init, ...sent });
    if (answer.status < 300) return answer;
    const headers = new HttpHeaders([['content-type', answer.type]]);
    const problem = Buffer.from(await answer.text());
    const error = errorFromResponse({ status: answer.status, headers, body: problem }, problem);
    throw error.code === 'UNAUTHENTICATED' ? unauthenticated(error, new URL(url)) : error;
  }

  /** What an operator says may be said twice: a node that did not answer may have heard it. */
  async #ask(path: string, init: RequestInit): Promise<{ readonly answer: Fetched; readonly url: string }> {
    const failures: FlotillaError[] = [];
    for (const url of this.#urls) {
      try {
        return { answer: await fetchUrl(`${url}/v1/${path}`, init), url };
      } catch (error) {
        if (init.signal?.aborted || !(error instanceof FlotillaError)) throw error;
        failures.push(error);
      }
    }
    const [first] = failures;
    if (first && failures.length === 1) throw first;
    throw new FlotillaError(
      'CONNECT_FAILED',
      `no registry answers: ${failures.map(({ detail }) => detail).join('; ')}`,
    );
  }
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.endsWith('/') ? text.slice(0, -1) : text;
  throw new FlotillaError(
    'CONFIG_INVALID',
    `the URL of a registry must be such as https://user:password@registry-1:8761, got "${withoutPassword(text).slice(0, 80)}"`,
  );
}

function withoutPassword(text: string): string {
  return text.replace(/:[^:@/]*@/, ':…@');
}

function unauthenticated(error: FlotillaError, url: URL): FlotillaError {
  const { username, host, protocol } = url;
  const detail =
    username === ''
      ? `${url.origin} wants one of its users: put it into the URL, ${protocol}//user:password@${host}, a token in place of the password`
      : `${url.origin} does not take what the URL says of "${decodeURIComponent(username)}": look for a wrong password, or a token that is over or not yet valid`;
  return new FlotillaError('UNAUTHENTICATED', detail, { cause: error, executed: 'no', fromPeer: true });
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
