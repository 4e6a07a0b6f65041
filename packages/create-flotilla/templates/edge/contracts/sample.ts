import { contract, get, query } from 'flotilla/contract';
import { z } from 'zod';

/** What one kind of device may ask for. */
export const sample = contract(
  { name: 'sample', version: 1 },
  {
    home: query({
      out: z.object({
        title: z.string(),
        /** Parts that could not be had in time. */
        missing: z.array(z.string()),
      }),
      http: get('/sample/home'),
    }),
  },
);
