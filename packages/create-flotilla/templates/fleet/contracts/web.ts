import { contract, get, query } from 'flotilla/contract';
import { z } from 'zod';
import { NotesItem } from './notes.ts';

/** What a browser may ask for. */
export const web = contract(
  { name: 'web', version: 1 },
  {
    home: query({
      out: z.object({
        title: z.string(),
        notes: z.array(NotesItem.pick({ text: true })),
        /** Parts that could not be had in time. */
        missing: z.array(z.string()),
      }),
      http: get('/api/home'),
    }),
  },
);
