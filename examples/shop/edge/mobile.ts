import { sameOrigin } from '@flotilla/edge';
import { run, service } from 'flotilla';
import { mobile } from '../contracts/mobile.ts';
import { backendsOf, edgeSettings } from './backends.ts';
import { privateAnswers } from './headers.ts';
import { pagesOf } from './pages.ts';
import { categoryFor, foundFor, historyFor, homeFor, productFor } from './views.ts';
import { serveVisitors } from './visitor-desk.ts';
import { visitorsOf } from './visitors.ts';

/** Edge service for small screens: the pages of `web`, trimmed. */
export const app = service('mobile', { config: edgeSettings });

app.filter(sameOrigin);
app.filter(privateAnswers);

const backends = backendsOf(app);
const visitors = visitorsOf(app, backends);
const pages = pagesOf(backends, visitors);

app.handle(mobile, {
  home: async (_, call) => homeFor('mobile', await pages.home(call)),
  category: async ({ id }, call) => categoryFor('mobile', await pages.category(id, call)),
  search: async ({ text }, call) => foundFor('mobile', await pages.search(text, call)),
  product: async ({ id, ...session }, call) => productFor('mobile', await pages.product(id, session, call)),
  history: async (session, call) => historyFor('mobile', await pages.history(session, call)),
});
serveVisitors(app, backends, visitors);

if (import.meta.main) await run(app);
