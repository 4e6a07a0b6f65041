import { FlotillaError } from '@flotilla/core';
import type { HttpRequest } from '@flotilla/http';
import type { WebSocketDefinition } from '../route-document.ts';

/**
 * May the page that sends this open a WebSocket here? Browsers apply no CORS to WebSockets, and send cookies along.
 * @param host as the client named it, before any proxy that is trusted
 * @throws FlotillaError FORBIDDEN
 */
export function checkOrigin({ headers, peer }: HttpRequest, host: string, { origins }: WebSocketDefinition): void {
  const sent = headers.getAll('origin');
  const [origin] = sent;
  if (origin === undefined || (origins[0] === '*' && sent.length === 1)) return; // no page sent it, or any may
  const page = sent.length === 1 && URL.canParse(origin) ? new URL(origin) : undefined;
  // A page that was loaded in the clear may be anybody's; it does not speak over a connection that is encrypted.
  const downgraded = page?.protocol === 'http:' && peer?.encrypted === true;
  const allowed = origins.some((one) =>
    one === 'same-origin' ? page && !downgraded && isSameHost(page, host) : page?.origin === one,
  );
  if (!allowed) {
    const detail = `a page of the origin "${origin.slice(0, 200)}" may not open a WebSocket here; see webSocket.origins`;
    throw new FlotillaError('FORBIDDEN', detail);
  }
}

/** By the page's scheme: behind a proxy that ends TLS the connection itself says nothing about it. */
function isSameHost(page: URL, host: string): boolean {
  const url = `${page.protocol}//${host}`;
  return /^https?:$/.test(page.protocol) && URL.canParse(url) && new URL(url).host === page.host;
}
