import { gather, missing } from '@flotilla/edge';
import { run, service } from 'flotilla';
import { sample } from '../contracts/sample.ts';

/** Edge service: gathers what a device shows from the backends, and trims it. It keeps nothing itself. */
export const app = service('sample');

app.handle(sample, {
  home: async (_, call) => {
    const page = await gather(call, {
      // Call a backend here: (c) => backend.list(undefined, c), with a client made above by app.client(contract).
      // Around it optional(…, [], { timeoutMs: 500 }) lets the page do without.
      title: async () => 'Welcome',
    });
    return { title: page.title, missing: missing(page).map(({ part }) => part) };
  },
});

if (import.meta.main) await run(app);
