import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, type Instance, type Target } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { anInstance } from '../testing/instances.ts';
import { Audience, awayMs, type Notice, type Reader, type ReaderPart, silentMs } from './audience.ts';

const orders: Target = { service: 'orders' };
const leaving: Instance = anInstance({ status: 'draining', revision: 7 });

class Stage {
  readonly clock = new ManualClock();
  isShared = false;
  readonly audience = new Audience({
    epoch: 'e',
    clock: this.clock,
    random: seededRandom(1),
    maxAway: 100,
    isShared: () => this.isShared,
  });

  static async ready(): Promise<Stage> {
    const stage = new Stage();
    await stage.clock.advance(awayMs); // callers of an earlier start are back
    return stage;
  }

  enter(part: ReaderPart = 'caller', target: Target | undefined = orders, cursor = 'e:3', id?: string): Reader {
    return this.audience.enter({ who: 'me', target, part }, cursor, id);
  }

  /** Asks, and has the answer once there is one. */
  ask(limitMs = 5_000, instance = leaving): { answer?: Notice } {
    const asked: { answer?: Notice } = {};
    const call = new Call({ clock: this.clock, random: seededRandom(2) });
    void this.audience.noticed(instance, limitMs, call).then((answer) => {
      asked.answer = answer;
    });
    return asked;
  }
}

const all: Notice = { noticed: true, waiting: 0, silent: [] };

test('nobody watches: everybody knows', async () => {
  const stage = await Stage.ready();
  const asked = stage.ask();
  await settle();
  assert.deepEqual(asked.answer, all);
});

test('it takes until the last caller has acknowledged, and not a moment longer', async () => {
  const stage = await Stage.ready();
  const [one, two] = [stage.enter(), stage.enter('caller', undefined)];
  const asked = stage.ask();
  stage.audience.acknowledge(one.id, 'me', 7);
  stage.audience.acknowledge(two.id, 'me', 6);
  await stage.clock.advance(1_000);
  assert.equal(asked.answer, undefined);
  stage.audience.acknowledge(two.id, 'me', 7);
  await settle();
  assert.deepEqual(asked.answer, all);
});

test('after the limit it is told how many do not know', async () => {
  const stage = await Stage.ready();
  const [one] = [stage.enter(), stage.enter(), stage.enter()];
  stage.audience.acknowledge(one.id, 'me', 9);
  const asked = stage.ask();
  await stage.clock.advance(4_999);
  assert.equal(asked.answer, undefined);
  await stage.clock.advance(1);
  assert.deepEqual(asked.answer, { noticed: false, waiting: 2, silent: [] });
});

test('who watches others, and who calls nobody, is not waited for', async () => {
  const stage = await Stage.ready();
  stage.enter('caller', { service: 'users' });
  stage.enter('observer');
  const asked = stage.ask();
  await settle();
  assert.deepEqual(asked.answer, all);
});

test('who watches a contract is waited for by who serves it', async () => {
  const stage = await Stage.ready();
  stage.enter('caller', { contract: 'catalog' });
  const serving = { ...leaving, contracts: [{ name: 'catalog', version: 1, hash: '' }] };
  const asked = stage.ask(0, serving);
  await stage.clock.advance(0);
  assert.equal(asked.answer?.waiting, 1);
});

test('a cursor acknowledges what it names: of this start of the registry only', async () => {
  const stage = await Stage.ready();
  stage.enter('caller', orders, 'e:7');
  const known = stage.ask(0);
  await stage.clock.advance(0);
  assert.equal(known.answer?.noticed, true);
  stage.enter('caller', orders, 'other:99');
  const unknown = stage.ask(0);
  await stage.clock.advance(0);
  assert.equal(unknown.answer?.noticed, false);
});

test('a watch that broke off is waited for, comes back with its id and cursor, and then knows', async () => {
  const stage = await Stage.ready();
  const reader = stage.enter();
  stage.audience.away(reader);
  const asked = stage.ask();
  await stage.clock.advance(2_000);
  assert.equal(asked.answer, undefined);
  assert.equal(stage.enter('caller', orders, 'e:7', reader.id).id, reader.id);
  await settle();
  assert.deepEqual(asked.answer, all);
  assert.equal(stage.audience.size, 1);
});

test('for thirty seconds; one that ends for good is not', async () => {
  const stage = await Stage.ready();
  stage.audience.away(stage.enter());
  const gone = stage.enter();
  assert.equal(stage.audience.leave(gone.id, 'somebody else'), false);
  assert.equal(stage.audience.leave(gone.id, 'me'), true);
  const early = stage.ask(0);
  await stage.clock.advance(awayMs - 1);
  assert.equal(early.answer?.waiting, 1);
  await stage.clock.advance(1);
  const late = stage.ask(0);
  await settle();
  assert.deepEqual(late.answer, all);
});

test('the id of a watch that is connected, of another user or another target begins a new one', async () => {
  const stage = await Stage.ready();
  const reader = stage.enter();
  assert.notEqual(stage.enter('caller', orders, 'e:3', reader.id).id, reader.id);
  stage.audience.away(reader);
  assert.notEqual(stage.enter('caller', { service: 'users' }, 'e:3', reader.id).id, reader.id);
  assert.notEqual(stage.audience.enter({ who: 'you', target: orders, part: 'caller' }, 'e:3', reader.id).id, reader.id);
  assert.equal(stage.audience.acknowledge(reader.id, 'you', 9), false);
});

test('where somebody reads who cannot acknowledge, nobody can tell; until he stays away', async () => {
  const stage = await Stage.ready();
  stage.audience.readBy('Eureka');
  const asked = stage.ask();
  await settle();
  assert.deepEqual(asked.answer, { noticed: false, waiting: 0, silent: ['Eureka'] });
  await stage.clock.advance(silentMs);
  const later = stage.ask();
  await settle();
  assert.deepEqual(later.answer, all);
  stage.enter('silent');
  const silent = stage.ask();
  await settle();
  assert.deepEqual(silent.answer?.silent, ['watches that do not acknowledge']);
});

test('while the registry passes on what it hears, there are watches that it does not see', async () => {
  const stage = await Stage.ready();
  stage.isShared = true;
  const asked = stage.ask();
  await settle();
  assert.deepEqual(asked.answer?.silent, ['watches at other nodes']);
});

test('right after a start callers may not be back yet', async () => {
  const stage = new Stage();
  const asked = stage.ask();
  await settle();
  assert.deepEqual(asked.answer?.silent, ['watches before the registry started']);
});

test('whoever asks and goes is not waited for', async () => {
  const stage = await Stage.ready();
  stage.enter();
  const call = new Call({ clock: stage.clock, random: seededRandom(2) });
  const asked = stage.audience.noticed(leaving, 5_000, call);
  call.cancel();
  assert.equal((await asked).noticed, false);
});

test('watches that are away are bounded: the oldest goes', async () => {
  const stage = await Stage.ready();
  for (let count = 0; count < 250; count++) stage.audience.away(stage.enter());
  assert.equal(stage.audience.size, 100);
  for (let count = 0; count < 100; count++) stage.audience.readBy(`kind ${count}`);
  const asked = stage.ask(0);
  await settle();
  assert.equal(asked.answer?.silent.length, 64);
});
