import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { keptFile } from '@flotilla/edge';
import type { App, HttpHandler } from 'flotilla';

/** Nothing inline, nothing from elsewhere: the page can run only what this service serves. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Addresses at which the one page is found: it shows what its address says. */
const places = ['/', '/search', '/categories/{id}', '/products/{id}', '/basket', '/sign-in', '/orders', '/orders/{id}'];

const folder = new URL('../storefront/', import.meta.url);
const parts = ['page', 'style'].flatMap((part) => readdirSync(new URL(part, folder)).map((name) => `${part}/${name}`));

/** Serves the page's few files from memory. */
export function serveStorefront<S>(app: App<S>): void {
  const page = fileOf('index.html');
  for (const place of places) app.http('GET', place, page);
  for (const name of ['icon.svg', ...parts]) app.http('GET', `/${name}`, fileOf(name));
}

function fileOf(name: string): HttpHandler {
  const type = types[extname(name)] ?? 'application/octet-stream';
  return keptFile({ load: () => readFileSync(new URL(name, folder)), type, contentSecurityPolicy });
}
