import { command, contract, error, get, post, query } from 'flotilla/contract';
import { z } from 'zod';

export const NotesItem = z.object({ id: z.string(), text: z.string() });
export type NotesItem = z.infer<typeof NotesItem>;

const Key = z.object({ id: z.string().max(64) });

/** What the service promises its callers. A browser may import it: nothing is opened here. */
export const notes = contract(
  { name: 'notes', version: 1 },
  {
    list: query({ out: z.array(NotesItem), http: get('/notes') }),
    find: query({ in: Key, out: NotesItem, errors: { UNKNOWN: error(404, Key) }, http: get('/notes/{id}') }),
    add: command({
      in: z.object({ text: z.string().min(1).max(1_000) }),
      out: NotesItem,
      http: post('/notes', { status: 201, location: '/notes/{id}' }),
    }),
  },
);
