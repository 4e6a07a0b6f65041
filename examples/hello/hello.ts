import { run, service } from 'flotilla';
import { contract, get, query } from 'flotilla/contract';
import { z } from 'zod';

const Name = z.object({ name: z.string() });
const Greeting = z.object({ text: z.string() });

export const hello = contract(
  { name: 'hello', version: 1 },
  { greet: query({ in: Name, out: Greeting, http: get('/greetings/{name}') }) },
);
export const app = service('hello');
app.handle(hello, { greet: ({ name }) => ({ text: `Hello, ${name}!` }) });
if (import.meta.main) await run(app);
