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
    throw new FlotillaError('CONNECT_FAILED', `${url.origin} ${whyNot(cause)}`, { cause });
  }
}

/** What is wrong, and what to do. */
function whyNot(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const code = cause instanceof Error ? String((cause as NodeJS.ErrnoException).code) : '';
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code)) {
    return 'has a certificate of an authority that this machine does not know: name it, NODE_EXTRA_CA_CERTS=ca.pem flotilla …';
  }
  if (code === 'CERT_HAS_EXPIRED')
    return 'has a certificate that has expired: replace the file that its "tls.cert" names';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'has a certificate for other names: ask for it by one of them, or correct the certificate';
  if (code.startsWith('ERR_SSL_TLSV1') && code.includes('CERTIFICATE'))
    return 'wants a client certificate, which this command does not have: ask with the token of an operator where "tls.clientAuth" is optional';
  if (code.startsWith('ERR_SSL_')) return 'speaks no TLS: ask for http:// instead of https://';
  return 'does not answer; is it running, and is the address right?';
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
