import { gather, missing, optional, trim } from '@flotilla/edge';
import { run, service } from 'flotilla';
import { notes } from '../contracts/notes.ts';
import { web } from '../contracts/web.ts';

/** Edge service: gathers what a page shows from the backends, and trims it. It keeps nothing itself. */
export const app = service('web');

const backend = app.client(notes, { timeoutMs: 1_000 });

app.handle(web, {
  home: async (_, call) => {
    const page = await gather(call, {
      // Without its notes there still is a page.
      notes: optional((c) => backend.list(undefined, c), [], { timeoutMs: 500 }),
    });
    return {
      title: 'My notes',
      notes: page.notes.map((note) => trim(note, { text: true })),
      missing: missing(page).map(({ part }) => part),
    };
  },
});

if (import.meta.main) await run(app);
