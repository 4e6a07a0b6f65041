import { randomUUID } from 'node:crypto';
import { run, service } from 'flotilla';
import { type NotesItem, notes } from '../contracts/notes.ts';

/** Backend service. It keeps its items in memory: they are gone when it ends, and another copy has others. */
export const app = service('notes');

/** Opened when the service starts. A database is opened here, and closed by a third argument. */
const items = app.resource('items', () => new Map<string, NotesItem>());

app.handle(notes, {
  list: () => [...items().values()],

  find: ({ id }, call) => items().get(id) ?? call.fail('UNKNOWN', { id }),

  add({ text }) {
    const item = { id: randomUUID(), text };
    items().set(item.id, item);
    return item;
  },
});

if (import.meta.main) await run(app);
