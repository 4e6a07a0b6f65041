import { sameOrigin } from '@flotilla/edge';
import { run, service } from 'flotilla';
import { web } from '../contracts/web.ts';
import { backendsOf, edgeSettings } from './backends.ts';
import { privateAnswers } from './headers.ts';
import { pagesOf } from './pages.ts';
import { servePictures } from './pictures.ts';
import { serveStorefront } from './storefront.ts';
import { categoryFor, foundFor, historyFor, homeFor, productFor } from './views.ts';
import { serveVisitors } from './visitor-desk.ts';
import { visitorsOf } from './visitors.ts';

/** Edge service for large screens. It serves the storefront and its pictures, too. */
export const app = service('web', { config: edgeSettings });

app.filter(sameOrigin);
app.filter(privateAnswers);

const backends = backendsOf(app);
const visitors = visitorsOf(app, backends);
const pages = pagesOf(backends, visitors);

app.handle(web, {
  home: async (_, call) => homeFor('web', await pages.home(call)),
  category: async ({ id }, call) => categoryFor('web', await pages.category(id, call)),
  search: async ({ text }, call) => foundFor('web', await pages.search(text, call)),
  product: async ({ id, ...session }, call) => productFor('web', await pages.product(id, session, call)),
  history: async (session, call) => historyFor('web', await pages.history(session, call)),
});
serveVisitors(app, backends, visitors);
servePictures(app);
serveStorefront(app);

if (import.meta.main) await run(app);
