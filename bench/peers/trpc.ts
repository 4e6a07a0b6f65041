/** tRPC as its guide sets it up: the standalone server, and the link that joins the calls of one turn into one request. */
import type { AddressInfo } from 'node:net';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { z } from 'zod';
import { type CallSubject, productOf } from '../calls/subject.ts';

let handled = 0;
const trpc = initTRPC.create();
const router = trpc.router({
  product: trpc.procedure
    .input(z.object({ id: z.string(), quantity: z.int().min(1).max(1_000) }))
    .query(({ input }) => {
      handled++;
      return productOf(input.id);
    }),
});

export const subject: CallSubject = {
  async serve() {
    const server = createHTTPServer({ router, maxBatchSize: 1_000 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    return { port: (server.address() as AddressInfo).port, handled: () => handled };
  },
  async connect([port]) {
    // As many in one request as Node takes in its target: 16 KiB of head are the limit.
    const link = httpBatchLink({ url: `http://127.0.0.1:${port}`, maxURLLength: 14_000 });
    const client = createTRPCClient<typeof router>({ links: [link] });
    return { call: (id, quantity) => client.product.query({ id, quantity }) };
  },
};
