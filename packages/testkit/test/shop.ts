import { gather, missing, optional } from '@flotilla/edge';
import { type App, HttpHeaders, service } from 'flotilla';
import { command, contract, get, post, query, stream } from 'flotilla/contract';
import { z } from 'zod';

const Stocked = z.object({ id: z.string(), left: z.int() });

export const stock = contract(
  { name: 'stock', version: 1 },
  {
    item: query({ in: z.object({ id: z.string() }), out: Stocked, http: get('/items/{id}') }),
    take: command({ in: z.object({ id: z.string() }), out: Stocked, http: post('/items/{id}/taken') }),
    count: stream({ in: z.object({ to: z.int() }), out: z.object({ n: z.int() }) }),
  },
);

export const pages = contract(
  { name: 'pages', version: 1 },
  {
    home: query({
      out: z.object({ left: z.int(), missing: z.array(z.string()) }),
      http: get('/api/home'),
    }),
    take: command({ out: Stocked, http: post('/api/taken') }),
  },
);

/** A backend with a resource of its own, and an edge service before it. */
export interface Shop {
  readonly catalog: App;
  readonly web: App;
  /** Work that was done, in any copy. */
  readonly taken: string[];
  /** Resources that are open, in their order. */
  readonly open: number[];
}

export function shop(): Shop {
  const taken: string[] = [];
  const open: number[] = [];
  let opened = 0;
  const catalog = service('catalog');
  const serial = catalog.resource(
    'serial',
    () => {
      open.push(++opened);
      return opened;
    },
    (value) => void open.splice(open.indexOf(value), 1),
  );
  catalog.handle(stock, {
    item: ({ id }) => ({ id, left: serial() }),
    take: ({ id }) => {
      taken.push(id);
      return { id, left: taken.length };
    },
    async *count({ to }) {
      for (let n = 1; n <= to; n++) yield { n };
    },
  });
  catalog.http('GET', '/big', async () => ({
    status: 200,
    headers: new HttpHeaders([['content-type', 'application/octet-stream']]),
    body: Buffer.alloc(1_000, 'x'),
  }));
  const web = service('web');
  const items = web.client(stock);
  web.handle(pages, {
    home: async (_, call) => {
      const page = await gather(call, {
        item: optional((c) => items.item({ id: 'soup' }, c), { id: 'soup', left: 0 }, { timeoutMs: 500 }),
      });
      return { left: page.item.left, missing: missing(page).map(({ part }) => part) };
    },
    take: (_, call) => items.take({ id: 'soup' }, call),
  });
  return { catalog, web, taken, open };
}

export const routes = `
routes:
  - { id: pages, path: /api/**, to: service://web, auth: public }
  - { id: catalog, path: /big, to: service://catalog, auth: public }
`;
