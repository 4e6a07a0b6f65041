import { keptFile } from '@flotilla/edge';
import { type App, HttpHeaders, paramsAttribute } from 'flotilla';
import { drawDish, drawn } from './pictures/draw.ts';

/**
 * Serves a picture of each dish, in two sizes; a browser keeps it for a day. Each is drawn when it is first asked for. A
 * dish that nobody has drawn yet is shown as an empty plate.
 */
export function servePictures<S>(app: App<S>): void {
  for (const size of ['large', 'small'] as const) {
    const picture = (id: string) =>
      keptFile({
        load: () => drawDish(id, size),
        type: 'image/svg+xml',
        cacheControl: 'public, max-age=86400',
        contentSecurityPolicy: "default-src 'none'; sandbox", // opened on its own, it can do nothing at all
      });
    const plate = picture('plate');
    const dishes = new Map([...drawn].map((id) => [id, picture(id)]));
    app.http('GET', `/pictures/${size}/{file}`, async (request, call) => {
      const [, id] = /^([a-z0-9-]{1,64})\.svg$/.exec(call.get(paramsAttribute)?.get('file') ?? '') ?? [];
      if (id === undefined) return { status: 404, headers: new HttpHeaders(), body: undefined };
      return (dishes.get(id) ?? plate)(request, call);
    });
  }
}
