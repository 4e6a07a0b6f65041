import { run } from 'flotilla';
import { web } from '../contracts/web.ts';
import { servePictures } from './pictures.ts';
import { shopEdge } from './shop-edge.ts';
import { serveStorefront } from './storefront.ts';
import { categoryFor, foundFor, historyFor, homeFor, productFor } from './views.ts';

/** Edge service for large screens. It serves the storefront and its pictures, too. */
const { app, pages } = shopEdge('web');

export { app };

app.handle(web, {
  home: async (_, call) => homeFor('web', await pages.home(call)),
  category: async ({ id }, call) => categoryFor('web', await pages.category(id, call)),
  search: async ({ text }, call) => foundFor('web', await pages.search(text, call)),
  product: async ({ id, session }, call) => productFor('web', await pages.product(id, session, call)),
  history: async ({ session }, call) => historyFor('web', await pages.history(session, call)),
});
servePictures(app);
serveStorefront(app);

if (import.meta.main) await run(app);
