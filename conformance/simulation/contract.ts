import { command, contract, query } from '@flotilla/rpc';
import * as z from 'zod';

const Question = z.object({ id: z.number() });

/** Each call is told apart by its id, and each answer names the call that it is for. */
export const orders = contract(
  { name: 'orders', version: 1 },
  {
    look: query({ in: Question, out: Question }),
    put: command({ in: Question, out: Question, idempotent: true }),
    place: command({ in: Question, out: Question }),
  },
);
