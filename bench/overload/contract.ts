import { contract, get, query } from 'flotilla/contract';
import { z } from 'zod';

/** What our server serves, over both transports. */
export const bench = contract(
  { name: 'bench', version: 1 },
  { work: query({ out: z.object({ text: z.string() }), http: get('/work') }) },
);
