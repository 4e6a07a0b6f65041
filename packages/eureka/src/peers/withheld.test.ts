import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIdentity } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import type { InstanceKey } from '@flotilla/registry';
import { createRegistry, type Registry } from '@flotilla/registry/server';
import { member } from '../testing/member.ts';
import { Withheld } from './withheld.ts';

const born = 1_767_225_600_000;
const key = { service: 'orders', id: 'o1' };

/** A registry here, and a peer whose clock is three minutes behind. */
class Pair {
  readonly clock = new ManualClock();
  readonly registry: Registry;
  readonly there = new Map<string, number>();
  readonly asked: string[] = [];
  readonly withheld: Withheld;

  constructor() {
    const { clock } = this;
    this.registry = createRegistry({ clock, random: seededRandom(1) });
    this.withheld = new Withheld({
      registry: this.registry,
      clock,
      renewedThere: ({ id }) => {
        this.asked.push(id);
        return Promise.resolve(this.there.get(id));
      },
    });
  }

  static async withOrders(ids: readonly string[]): Promise<Pair> {
    const pair = new Pair();
    await pair.registry.start();
    for (const id of ids) pair.registry.register(member(id, born), { replicated: true });
    for (const id of ids) pair.renewThere(id);
    return pair;
  }

  renewThere(id: string): void {
    this.there.set(id, this.clock.wallNow() - 180_000);
  }

  async look(absent: readonly InstanceKey[] = []) {
    return this.withheld.look(absent);
  }
}

test('an owner that renews at the peer alone is missed, before its lease ends here', async () => {
  const pair = await Pair.withOrders(['o1']);
  assert.deepEqual(await pair.look(), { heard: 0, missed: undefined });
  await pair.clock.advance(30_000);
  pair.renewThere('o1');
  assert.deepEqual(await pair.look(), { heard: 0, missed: undefined }, 'one renewal may be late');
  await pair.clock.advance(20_000);
  assert.deepEqual(await pair.look(), { heard: 0, missed: key });
  assert.equal(pair.registry.size, 1);
});

test('an owner of whom word comes is heard, and the peer is not asked for it again', async () => {
  const pair = await Pair.withOrders(['o1']);
  await pair.look();
  await pair.clock.advance(30_000);
  pair.renewThere('o1');
  pair.registry.renew(key, undefined, { replicated: true });
  await pair.clock.advance(30_000);
  assert.deepEqual(await pair.look(), { heard: 1, missed: undefined });
  assert.deepEqual(pair.asked, ['o1']);
});

test('an owner that is silent, or gone, at the peer too is neither', async () => {
  const pair = await Pair.withOrders(['o1', 'o2']);
  await pair.look();
  pair.there.delete('o2');
  await pair.clock.advance(60_000);
  assert.deepEqual(await pair.look(), { heard: 0, missed: undefined });
});

test('word that comes while the peer is asked counts', async () => {
  const pair = await Pair.withOrders(['o1']);
  await pair.look();
  await pair.clock.advance(60_000);
  pair.renewThere('o1');
  const looking = pair.look();
  pair.registry.renew(key, undefined, { replicated: true });
  assert.equal((await looking).missed, undefined);
});

test('whom the peer lists and this registry evicted is missed as long as it is renewed there', async () => {
  const pair = await Pair.withOrders([]);
  pair.renewThere('o1');
  assert.deepEqual(await pair.look([key]), { heard: 0, missed: undefined });
  for (let minute = 0; minute < 3; minute++) {
    await pair.clock.advance(60_000);
    pair.renewThere('o1');
    assert.deepEqual(await pair.look([key]), { heard: 0, missed: key });
  }
  pair.registry.register(member('o1', born), { replicated: true });
  assert.equal((await pair.look()).heard, 1);
});

test('later looks are at those alone that should have been heard, a few at a time', async () => {
  const ids = Array.from({ length: 10 }, (_, at) => `o${at}`);
  const pair = await Pair.withOrders(ids);
  await pair.look();
  assert.equal(pair.asked.length, 4);
  pair.asked.length = 0;
  await pair.clock.advance(1_000);
  for (const { instance } of pair.registry.list()) {
    pair.registry.renew({ service: formatIdentity(instance.identity), id: instance.id });
  }
  await pair.clock.advance(40_000);
  await pair.look();
  assert.deepEqual(pair.asked, [], 'all were heard within their interval and a half');
  await pair.clock.advance(10_000);
  await pair.look();
  assert.equal(pair.asked.length, 4);
});
