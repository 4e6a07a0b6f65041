import { callerOf, FlotillaError, type Handlers, run, service } from 'flotilla';
import type { HandlerEvent } from './books-callee.ts';
import { books, reader } from './contract.ts';

const volume = (n: number) => ({ id: `b${n}`, title: `Volume ${n}`, pages: n * 100 });

/** What `BooksController` does; what happens is told. */
export const handlersOf = (tell: (event: HandlerEvent) => void): Handlers<typeof books> => ({
  find: ({ id }) => ({ id, title: `The Book of ${id}`, pages: 321 }),
  lose: () => {},
  fail({ how }, call) {
    if (how === 'unavailable') throw new FlotillaError('UNAVAILABLE', 'not now');
    if (how === 'declared') return call.fail('LOST', { id: how }, 'burnt');
    throw new Error('boom');
  },
  wait({ id }, call) {
    tell({ handler: 'wait', began: id });
    call.onCancel(() => tell({ handler: 'wait', cancelled: true }));
    return new Promise(() => {});
  },
  big: ({ n }) => ({ id: 'big', title: 'x'.repeat(n), pages: n }),
  async *list({ n }) {
    for (let i = 1; i <= n; i++) yield volume(i);
  },
  async *endless({ n }, call) {
    call.onCancel(() => tell({ handler: 'endless', cancelled: true }));
    for (let i = n; ; i++) {
      tell({ handler: 'endless', wanted: 1 });
      yield volume(i);
    }
  },
  async *tear({ n }) {
    for (let i = 1; i <= n; i++) yield volume(i);
    throw new Error('torn');
  },
  async sum(amounts) {
    let total = 0;
    let count = 0;
    for await (const { value } of amounts) {
      total += value;
      count++;
    }
    return { total, count };
  },
  async *rename(all) {
    for await (const book of all) yield { ...book, title: `Renamed ${book.title}` };
  },
  async *two(all) {
    let left = 2;
    for await (const book of all) {
      yield book;
      if (--left === 0) return;
    }
  },
  ask: (key, call) => callerOf(reader, call).prefers(key, call),
  note: ({ title }) => tell({ handler: 'note', noted: title }),
});

if (import.meta.main) {
  const app = service('books');
  app.handle(
    books,
    handlersOf((event) => process.stdout.write(`${JSON.stringify(event)}\n`)),
  );
  await run(app);
}
