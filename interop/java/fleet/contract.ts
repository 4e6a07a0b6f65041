import { command, contract, get, post, query } from 'flotilla/contract';
import { z } from 'zod';

/** What Java writes where it has nothing is null. */
export const Greeting = z.object({ text: z.string(), from: z.string().nullish() });

/** What every service of this suite serves, of either camp; the Java ones say so by their names alone. */
export const greetings = contract(
  { name: 'greetings', version: 1 },
  {
    greet: query({ in: z.object({ whom: z.string() }), out: Greeting, http: get('/greetings/{whom}') }),
    echo: command({ in: Greeting, out: Greeting, http: post('/echo') }),
  },
);

/** What the TypeScript service does besides. */
export const desk = contract(
  { name: 'desk', version: 1 },
  {
    /** Asks a Java service, found by its name. */
    ask: query({
      in: z.object({ service: z.string(), whom: z.string() }),
      out: Greeting,
      http: get('/ask/{service}/{whom}'),
    }),
    /** Lets those go that wait to be greeted as "Patience". */
    release: command({ in: z.object({}), out: z.object({ released: z.number() }), http: post('/release') }),
  },
);
