import { type App, type HttpHandler, HttpHeaders, paramsAttribute } from 'flotilla';
import type { EdgeSettings } from './backends.ts';
import { serveFile } from './files.ts';
import { drawDish, drawn, type Size } from './pictures/draw.ts';

/** A picture may be opened on its own: then it can do nothing at all. */
const contentSecurityPolicy = "default-src 'none'; sandbox";

/**
 * Serves a picture of each dish, in two sizes; a browser keeps it for a day. Each is drawn when it is first asked for. A
 * dish that nobody has drawn yet is shown as an empty plate.
 */
export function servePictures(app: App<EdgeSettings>): void {
  const kept = new Map<string, HttpHandler>();
  for (const size of ['large', 'small'] as const) {
    app.http('GET', `/pictures/${size}/{file}`, async (request, call) => {
      const [, id] = /^([a-z0-9-]{1,64})\.svg$/.exec(call.get(paramsAttribute)?.get('file') ?? '') ?? [];
      return id === undefined ? notFound() : pictureOf(size, drawn.has(id) ? id : 'plate', kept)(request, call);
    });
  }
}

function pictureOf(size: Size, id: string, kept: Map<string, HttpHandler>): HttpHandler {
  const name = `${size}/${id}`;
  const known = kept.get(name);
  if (known) return known;
  const made = serveFile({
    type: 'image/svg+xml',
    bytes: new TextEncoder().encode(drawDish(id, size)),
    cacheControl: 'public, max-age=86400',
    contentSecurityPolicy,
  });
  kept.set(name, made);
  return made;
}

function notFound() {
  return { status: 404, headers: new HttpHeaders([['cache-control', 'no-store']]), body: undefined };
}
