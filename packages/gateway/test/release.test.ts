import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { settle } from '@flotilla/core/testing';
import { checkRoutes } from '../src/index.ts';
import { memoryEngine, nodeEngine } from './engines.ts';
import { answer, nextText, streamed, Tap, World } from './support.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const reloads = 200;

for (const [name, engine] of [
  ['in memory', memoryEngine],
  ['on node:http', nodeEngine],
] as const) {
  describe(`old route tables ${name}`, () => {
    it('are released when their last request ends, not before', async () => {
      const world = new World(engine());
      const taps: Tap[] = [];
      const { url } = await world.serve(async () => {
        const tap = new Tap().put('begun');
        taps.push(tap);
        return answer(200, tap);
      });
      const tables: WeakRef<object>[] = [];
      /** In a function of its own: nothing on the stack of the test may hold a document. */
      const apply = (turn: number): void => {
        const route = {
          id: 'a',
          path: '/**',
          to: url,
          auth: 'public',
          filters: [{ setRequestHeader: { 'x-turn': `${turn}` } }],
        };
        const document = checkRoutes({ routes: [route] });
        const [definition] = document.routes;
        assert(definition);
        tables.push(new WeakRef(definition));
        world.gateway.apply(document);
      };
      await world.open();
      const open: AsyncIterator<Uint8Array>[] = [];
      for (let turn = 0; turn < reloads; turn++) {
        apply(turn);
        if (turn % 40 === 0) await begin(world, open);
      }
      const inUse = open.length + 1; // one for each body, and the last one for new requests
      assert(
        (await alive(tables)) <= inUse,
        `${await alive(tables)} of ${reloads} tables are held, ${inUse} are in use`,
      );
      assert((await alive(tables)) >= inUse);
      for (const tap of taps) tap.put();
      await readToTheEnd(open);
      assert.equal(await alive(tables), 1);
      await world.close();
    });
  });
}

async function begin(world: World, open: AsyncIterator<Uint8Array>[]): Promise<void> {
  const chunks = streamed((await world.send('GET', '/').response).body);
  assert.equal(await nextText(chunks), 'begun');
  open.push(chunks);
}

/** Leaves nothing behind that holds an exchange: neither in the list nor in a variable. */
async function readToTheEnd(open: AsyncIterator<Uint8Array>[]): Promise<void> {
  for (const chunks of open.splice(0)) assert.equal(await nextText(chunks), undefined);
}

/** How many are left after a thorough collection. */
async function alive(refs: readonly WeakRef<object>[]): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await settle(); // a WeakRef that was read keeps its target until the turn ends
    collect();
  }
  return refs.filter((ref) => ref.deref() !== undefined).length;
}
