import { FlotillaError } from '@flotilla/core';

/** What came back of a request that the command line made. */
export interface Fetched {
  readonly status: number;
  readonly type: string;
  readonly body: ReadableStream<Uint8Array> | null;
  text(): Promise<string>;
}

/** How long the command line waits for an answer to begin. */
const timeoutMs = 10_000;

/**
 * Makes one request. A user and password in the URL go as Basic credentials.
 * @throws FlotillaError CONNECT_FAILED naming the address and what to check.
 */
export async function fetchUrl(address: string, init: RequestInit = {}): Promise<Fetched> {
  const url = new URL(address);
  const headers = new Headers(init.headers);
  if (url.username !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
    url.username = '';
    url.password = '';
  }
  try {
    const response = await fetch(url, { ...init, headers, signal: init.signal ?? AbortSignal.timeout(timeoutMs) });
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      body: response.body,
      text: () => response.text(),
    };
  } catch (cause) {
    throw new FlotillaError(
      'CONNECT_FAILED',
      `${url.origin} does not answer; is it running, and is the address right?`,
      { cause },
    );
  }
}

/**
 * Fetches a JSON document.
 * @throws FlotillaError CONNECT_FAILED, or BAD_RESPONSE for any status but 2xx.
 */
export async function fetchJson(address: string): Promise<unknown> {
  const response = await fetchUrl(address, { headers: { accept: 'application/json' } });
  const text = await response.text();
  if (response.status >= 300) {
    throw new FlotillaError(
      'BAD_RESPONSE',
      `${new URL(address).origin} answered ${response.status}: ${text.slice(0, 300)}`,
    );
  }
  return JSON.parse(text);
}
