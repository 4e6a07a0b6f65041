import { readFileSync } from 'node:fs';
import { type App, HttpHeaders } from 'flotilla';

/** Nothing inline, nothing from elsewhere: the page can run only what this service serves. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Serves the page's few files from memory: they are read once, when the service starts. */
export function serveFiles(app: App, files: Readonly<Record<string, readonly [name: string, type: string]>>): void {
  for (const [path, [name, type]] of Object.entries(files)) {
    const bytes = app.resource(`file ${name}`, () => readFileSync(new URL(`../storefront/${name}`, import.meta.url)));
    app.http('GET', path, async () => ({
      status: 200,
      headers: new HttpHeaders([
        ['content-type', type],
        ['content-security-policy', contentSecurityPolicy],
        ['x-content-type-options', 'nosniff'],
        ['referrer-policy', 'no-referrer'],
        ['cache-control', 'no-cache'],
      ]),
      body: bytes(),
    }));
  }
}
