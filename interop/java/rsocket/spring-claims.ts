import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Boot } from '../programs/java.ts';
import type { BooksCallee } from './books-callee.ts';
import { SpringCaller, type SpringError } from './spring-caller.ts';

/** Media types that a Spring caller may name in its SETUP; without one, Boot takes CBOR. */
const mimes = { JSON: 'application/json', 'CBOR, Boot\u2019s default': undefined } as const;

/** How a callee answers what fails: its own words and codes. */
export interface Failures {
  /** By what the caller asked `books.fail` for. */
  readonly byKind: Readonly<Record<string, (error: SpringError) => void>>;
  readonly noRoute: (error: SpringError) => void;
  /** A stream that broke after two elements. */
  readonly torn: (error: SpringError) => void;
}

/**
 * What an unchanged Spring client sees of a server of the books, whoever that is. A Spring server fulfils them, so that a
 * claim that is wrong about Spring fails there first.
 */
export function springClaims(
  callee: string,
  { start, failures }: { readonly start: (port?: number) => Promise<BooksCallee>; readonly failures: Failures },
  options: { readonly boots: readonly Boot[]; readonly skip: string | false },
): void {
  for (const boot of options.boots) {
    describe(`a Spring client (${boot === 'current' ? 'Boot 3.5' : 'Boot 4.0'}) of ${callee}`, {
      skip: options.skip,
    }, () => {
      let books: BooksCallee;
      let caller: SpringCaller;
      before(async () => {
        [books, caller] = await Promise.all([start(), SpringCaller.start(boot)]);
      });
      after(async () => {
        await caller?.[Symbol.asyncDispose]();
        await books?.[Symbol.asyncDispose]();
      });

      for (const [name, mime] of Object.entries(mimes)) {
        describe(`with ${name}`, () => {
          let to: string;
          before(async () => {
            to = await caller.connect(books.port, mime === undefined ? {} : { mime });
          });
          after(() => caller.dispose(to));
          interactions({ to: () => to, books: () => books, caller: () => caller, failures });
        });
      }

      for (const [name, mime] of Object.entries(mimes))
        test(`with ${name}, requests and answers larger than a frame of 128 bytes travel in fragments`, async () => {
          const to = await caller.connect(books.port, { ...(mime && { mime }), fragmentSize: 128 });
          const title = 'long '.repeat(2_000);
          const from = books.count;
          caller.call(to, { interaction: 'send', route: 'books.note', data: { id: '1', title, pages: 1 } });
          await books.told('the long title came whole', ({ noted }) => noted === title, from);
          const big = caller.call(to, { interaction: 'response', route: 'books.big', data: { n: 100_000 } });
          assert.equal(((await big.all())[0] as { title: string }).title.length, 100_000);
          caller.dispose(to);
        });

      test('calls in hand fail when the server is gone, and the next one finds its successor', async () => {
        await using first = await start();
        const to = await caller.connect(first.port);
        const waiting = caller.call(to, { interaction: 'response', route: 'books.wait', data: { id: '1' } });
        await first.told('the handler has begun', ({ began }) => began === '1');
        await first.kill();
        assert.match(((await waiting.over()) as SpringError).type, /ClosedChannelException/);
        await using _second = await start(first.port);
        const again = caller.call(to, { method: 'find', data: { id: '2' } });
        assert.deepEqual(await again.all(), [{ id: '2', title: 'The Book of 2', pages: 321 }]);
        caller.dispose(to);
      });
    });
  }
}

interface Together {
  readonly to: () => string;
  readonly books: () => BooksCallee;
  readonly caller: () => SpringCaller;
  readonly failures: Failures;
}

function interactions({ to, books, caller, failures }: Together): void {
  const key = { id: 'B\u00fccher \u{1F4DA}' };
  const found = { id: key.id, title: `The Book of ${key.id}`, pages: 321 };
  const volume = (n: number): object => ({ id: `b${n}`, title: `Volume ${n}`, pages: n * 100 });
  const note = (title: string): object => ({ id: '1', title, pages: 1 });

  test('one request, one answer', async () => {
    const byRoute = caller().call(to(), { interaction: 'response', route: 'books.find', data: key });
    assert.deepEqual(await byRoute.all(), [found]);
    const byInterface = caller().call(to(), { method: 'find', data: key });
    assert.deepEqual(await byInterface.all(), [found]);
  });

  test('one request, no answer', async () => {
    const from = books().count;
    caller().call(to(), { interaction: 'send', route: 'books.note', data: note('by route') });
    caller().call(to(), { method: 'note', data: note('by interface') });
    await books().told('noted by route', ({ noted }) => noted === 'by route', from);
    await books().told('noted by interface', ({ noted }) => noted === 'by interface', from);
  });

  test('no answer, and the caller learns that it was taken', async () => {
    const from = books().count;
    const taken = caller().call(to(), { interaction: 'response', route: 'books.note', data: note('taken') });
    assert.deepEqual(await taken.all(), []);
    await books().told('it was noted', ({ noted }) => noted === 'taken', from);
  });

  test('one request, many answers', async () => {
    const expected = [volume(1), volume(2), volume(3)];
    const byRoute = caller().call(to(), { interaction: 'stream', route: 'books.list', data: { n: 3 } });
    assert.deepEqual(await byRoute.all(), expected);
    assert.deepEqual(
      await caller()
        .call(to(), { method: 'list', data: { n: 3 } })
        .all(),
      expected,
    );
    assert.deepEqual(
      await caller()
        .call(to(), { method: 'list', data: { n: 0 } })
        .all(),
      [],
    );
  });

  test('the callee makes as many elements as its caller wants, and stops when it wants no more', async () => {
    const from = books().count;
    const how = { interaction: 'stream', route: 'books.endless', data: { n: 1 }, first: 2 } as const;
    const endless = caller().call(to(), how);
    await endless.until('two came', () => endless.items.length >= 2);
    await books().untilWanted('endless', 2, from);
    endless.more(3);
    await endless.until('five came', () => endless.items.length >= 5);
    await books().untilWanted('endless', 5, from);
    endless.cancel();
    await books().told(
      'the handler was cancelled',
      ({ handler, cancelled }) => handler === 'endless' && cancelled === true,
      from,
    );
    assert.equal(books().wanted('endless', from), 5, 'and not one more');
    assert.deepEqual(endless.items, [1, 2, 3, 4, 5].map(volume));
  });

  test('many requests, one answer', async () => {
    const items = [{ value: 1 }, { value: 2 }, { value: 39 }];
    const byRoute = caller().call(to(), { interaction: 'channel', route: 'books.sum', items });
    assert.deepEqual(await byRoute.all(), [{ total: 42, count: 3 }]);
    assert.deepEqual(await caller().call(to(), { method: 'sum', items }).all(), [{ total: 42, count: 3 }]);
  });

  test('many requests, many answers, either side while the other goes on', async () => {
    for (const how of [{ interaction: 'channel', route: 'books.rename' }, { method: 'rename' }] as const) {
      const channel = caller().call(to(), { ...how, items: [note('one')], open: true });
      await channel.until('the first answer came', () => channel.items.length === 1);
      channel.push(note('two'));
      await channel.until('the second answer came', () => channel.items.length === 2);
      channel.end();
      assert.deepEqual(await channel.all(), [note('Renamed one'), note('Renamed two')]);
      assert.ok(channel.wanted.length > 0, 'the callee asked for what was sent');
    }
  });

  test('a callee that has enough ends what its caller sends', async () => {
    const items = [note('one'), note('two'), note('three')];
    const channel = caller().call(to(), { interaction: 'channel', route: 'books.two', items, open: true });
    assert.equal((await channel.all()).length, 2);
    await channel.until('what it sends is unwanted', () => channel.unwanted);
  });

  test('a caller that gives up is heard by the handler', async () => {
    const from = books().count;
    const waiting = caller().call(to(), {
      interaction: 'response',
      route: 'books.wait',
      data: { id: 'long' },
      timeoutMs: 300,
    });
    await books().told('the handler has begun', ({ began }) => began === 'long', from);
    assert.equal(((await waiting.over()) as SpringError).type, 'TimeoutException');
    await books().told(
      'the handler was cancelled',
      ({ handler, cancelled }) => handler === 'wait' && cancelled === true,
      from,
    );
  });

  test('a callee that asks back is answered on the same connection', async () => {
    const asking = caller().call(to(), { interaction: 'response', route: 'books.ask', data: { id: 'back' } });
    assert.deepEqual(await asking.all(), [{ id: 'back', title: 'A favourite', pages: 1 }]);
  });

  test('errors keep their codes and words', async () => {
    for (const [how, expected] of Object.entries(failures.byKind)) {
      expected(
        (await caller()
          .call(to(), { interaction: 'response', route: 'books.fail', data: { how } })
          .over()) as SpringError,
      );
      expected((await caller().call(to(), { method: 'fail', data: { how } }).over()) as SpringError);
    }
    const nowhere = caller().call(to(), { interaction: 'response', route: 'books.nowhere', data: key });
    failures.noRoute((await nowhere.over()) as SpringError);
  });

  test('a stream may break after some elements', async () => {
    const torn = caller().call(to(), { interaction: 'stream', route: 'books.tear', data: { n: 2 } });
    failures.torn((await torn.over()) as SpringError);
    assert.deepEqual(torn.items, [volume(1), volume(2)]);
  });
}
