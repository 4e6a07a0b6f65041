import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, startFleet } from '@flotilla/testkit';
import { service } from 'flotilla';
import { contract, query } from 'flotilla/contract';
import { z } from 'zod';

const shelf = contract({ name: 'shelf', version: 1 }, { book: query({ in: z.object({ id: z.int() }), out: z.int() }) });

for (const transport of ['auto', 'http'] as const) {
  test(`a thousand look-ups at once of a service that has just come up are all answered (${transport})`, async () => {
    const library = service('library');
    library.handle(shelf, { book: async ({ id }) => id });
    const reader = service('reader');
    const books = reader.client(shelf);
    const services = [library, reader].map((app) => ({ app, config: { transport } }));
    const fleet = await startFleet({ services, clock: new ManualClock() });
    try {
      const ids = Array.from({ length: 1_000 }, (_, id) => id);
      assert.deepEqual(await Promise.all(ids.map((id) => books.book({ id }))), ids);
    } finally {
      await fleet.stop();
    }
  });
}
