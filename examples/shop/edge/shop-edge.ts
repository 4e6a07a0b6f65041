import { hostCookies, privateAnswers, sameOrigin } from '@flotilla/edge';
import { type App, service, settings, url } from 'flotilla';
import { backendsOf } from './backends.ts';
import { type Pages, pagesOf } from './pages.ts';
import { serveVisitors } from './visitor-desk.ts';
import { visitorsOf } from './visitors.ts';

const edgeSettings = settings({
  publicUrl: url({
    optional: true,
    restart: true,
    describe: 'origin of the pages, https://shop.example; without it, only loopback may sign in and order',
  }),
});

/** An edge service of the shop for one kind of device: its pages, and what people do on them. */
export function shopEdge(device: 'web' | 'mobile'): {
  readonly app: App<{ publicUrl: string | undefined }>;
  readonly pages: Pages;
} {
  const app = service(device, { config: edgeSettings });
  app.filter(sameOrigin);
  app.filter(({ publicUrl }) => hostCookies({ publicUrl, cookies: ['session'] }));
  app.filter(privateAnswers);
  const backends = backendsOf(app);
  const visitors = visitorsOf(backends);
  serveVisitors(app, backends, visitors);
  return { app, pages: pagesOf(backends, visitors) };
}
