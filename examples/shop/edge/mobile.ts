import { run } from 'flotilla';
import { mobile } from '../contracts/mobile.ts';
import { shopEdge } from './shop-edge.ts';
import { categoryFor, foundFor, historyFor, homeFor, productFor } from './views.ts';

/** Edge service for small screens: the pages of `web`, trimmed. */
const { app, pages } = shopEdge('mobile');

export { app };

app.handle(mobile, {
  home: async (_, call) => homeFor('mobile', await pages.home(call)),
  category: async ({ id }, call) => categoryFor('mobile', await pages.category(id, call)),
  search: async ({ text }, call) => foundFor('mobile', await pages.search(text, call)),
  product: async ({ id, session }, call) => productFor('mobile', await pages.product(id, session, call)),
  history: async ({ session }, call) => historyFor('mobile', await pages.history(session, call)),
});

if (import.meta.main) await run(app);
