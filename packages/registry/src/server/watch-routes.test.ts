import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, Secret } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { decodeEvents, HttpHeaders, type HttpResponse, pathFromText, readBody } from '@flotilla/http';
import { anInstance } from '../testing/instances.ts';
import { World } from '../testing/world.ts';
import { awayMs } from './audience.ts';
import type { Registry } from './registry.ts';
import type { RegistryUser } from './users.ts';
import { patchOf } from './watch-response.ts';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a document that the test reads
  readonly json: any;
}

class Door {
  readonly world = new World();
  readonly registry: Registry;
  readonly #auth: string | undefined;

  private constructor(world: World, registry: Registry, auth?: string) {
    this.world = world;
    this.registry = registry;
    this.#auth = auth;
  }

  static async open(users?: readonly RegistryUser[]): Promise<Door> {
    const world = new World();
    const { registry } = await world.registry('registry', { warmingMs: 0, ...(users && { users }) });
    await world.clock.advance(awayMs);
    return new Door(world, registry, users && `Basic ${Buffer.from('me:a long password').toString('base64')}`);
  }

  /** @param line `GET /v1/watch?wait=0`. */
  async open(line: string, call = this.#call()): Promise<HttpResponse> {
    const [method = '', target = ''] = line.split(' ');
    const [path = '', query = ''] = target.split('?');
    const endpoint = this.world.network.connect({ protocol: 'http', host: 'registry', port: 8761 });
    const headers = new HttpHeaders(this.#auth === undefined ? [] : [['authorization', this.#auth]]);
    return endpoint.handle(
      { method, authority: 'registry:8761', path: pathFromText(path), query, headers, body: undefined },
      call,
    );
  }

  async ask(line: string): Promise<Answer> {
    const call = this.#call();
    const { status, body } = await this.open(line, call);
    const text = Buffer.from(await readBody(body, 1_000_000, call)).toString();
    return { status, json: text === '' ? undefined : JSON.parse(text) };
  }

  put(id: string, parts: Parameters<typeof anInstance>[0] = {}): void {
    const before = this.registry.get({ service: 'orders', id })?.instance.incarnation ?? 0;
    this.registry.register(anInstance({ id, incarnation: before + 1, ...parts }));
  }

  #call(): Call {
    return new Call({ clock: this.world.clock, random: Math.random });
  }
}

test('a poll without a cursor gets the list at once; with it, it waits for news and then gets just these', async () => {
  const door = await Door.open();
  door.put('a');
  const first = await door.ask('GET /v1/watch?service=orders&wait=30000');
  assert.deepEqual(
    first.json.snapshot.instances.map(({ id }: { id: string }) => id),
    ['a'],
  );
  const poll = door.ask(
    `GET /v1/watch?service=orders&wait=30000&watch=${first.json.watch}&cursor=${first.json.cursor}`,
  );
  await door.world.clock.advance(10_000);
  door.put('other', { service: 'users' }); // no news for this one
  await door.world.clock.advance(10_000);
  door.put('b');
  const { json } = await poll;
  assert.deepEqual(
    json.changes.map(({ kind, instance }: { kind: string; instance: { id: string } }) => [kind, instance.id]),
    [['put', 'b']],
  );
  assert.deepEqual([json.watch, json.snapshot], [first.json.watch, undefined]);
  assert.equal(door.registry.watchers, 0);
  await door.world.end();
});

test('without news a poll is answered after its time, with the cursor to go on from', async () => {
  const door = await Door.open();
  const { json } = await door.ask('GET /v1/watch?wait=0');
  let answered = false;
  const poll = door.ask(`GET /v1/watch?wait=30000&cursor=${json.cursor}`).finally(() => {
    answered = true;
  });
  await door.world.clock.advance(29_999);
  assert.equal(answered, false);
  await door.world.clock.advance(1);
  assert.deepEqual((await poll).json.changes, []);
  assert.equal((await poll).json.cursor, json.cursor);
  await door.world.end();
});

test('a cursor of another start, or too old, gets the list', async () => {
  const door = await Door.open();
  door.put('a');
  for (const cursor of ['elsewhere:1', 'nonsense', '']) {
    const { json } = await door.ask(`GET /v1/watch?wait=0&cursor=${cursor}`);
    assert.equal(json.snapshot.instances.length, 1);
  }
  await door.world.end();
});

test('a poll ends with the registry, and with whoever asked', async () => {
  const door = await Door.open();
  const { json } = await door.ask('GET /v1/watch?wait=0');
  const call = new Call({ clock: door.world.clock, random: Math.random });
  void door.open(`GET /v1/watch?wait=60000&cursor=${json.cursor}`, call).catch(() => {});
  await settle();
  assert.equal(door.registry.watchers, 1);
  call.cancel();
  await settle();
  assert.equal(door.registry.watchers, 0);
  await door.world.end();
});

test('the compact form tells what changed of whom the reader knows, and everything of a newcomer', async () => {
  const door = await Door.open();
  door.put('a', { metadata: { big: 'x'.repeat(500) }, zone: 'east' });
  const { json } = await door.ask('GET /v1/watch?service=orders&wait=0');
  door.registry.setStatus({ service: 'orders', id: 'a' }, 'draining');
  door.put('b');
  door.registry.deregister({ service: 'orders', id: 'a' });
  const query = `service=orders&wait=0&form=compact&cursor=${json.cursor}`;
  const { json: news } = await door.ask(`GET /v1/watch?${query}`);
  const [patch, put, gone] = news.changes;
  assert.deepEqual(Object.keys(patch.set).sort(), ['revision', 'status']);
  assert.deepEqual([patch.kind, patch.service, patch.id, patch.set.status], ['patch', 'orders', 'a', 'draining']);
  assert.ok(JSON.stringify(patch).length < 120);
  assert.deepEqual([put.kind, put.instance.id, gone.kind, gone.id], ['put', 'b', 'gone', 'a']);
  await door.world.end();
});

test('what a patch says: members that are other, and those that are gone', () => {
  const before = anInstance({ zone: 'a', override: 'down', weight: 1 });
  const { zone: _, override: __, ...rest } = before;
  assert.deepEqual(patchOf(before, { ...rest, weight: 2, zone: 'b' }), {
    set: { weight: 2, zone: 'b' },
    unset: ['override'],
  });
  assert.deepEqual(patchOf(before, { ...before }), { set: {} });
});

const refused: readonly [line: string, status: number, words: RegExp][] = [
  ['GET /v1/watch?wait=60001', 400, /wait must be a whole number from 0 to 60000/],
  ['GET /v1/watch?wait=soon', 400, /wait must be/],
  ['GET /v1/watch?wait=1&wait=2', 400, /"wait" is there twice/],
  ['GET /v1/watch?form=short&wait=0', 400, /form must be full or compact/],
  ['GET /v1/watch?as=god&wait=0', 400, /as must be caller or observer/],
  ['POST /v1/watches/none/acknowledgement?revision=1', 404, /there is no watch "none"/],
  ['POST /v1/watches/none/acknowledgement', 400, /revision must be/],
  ['DELETE /v1/watches/none', 404, /there is no watch "none"/],
  ['GET /v1/services/orders/instances/none/notice?wait=1', 404, /knows no lease/],
];
for (const [line, status, words] of refused) {
  test(`${line} is refused`, async () => {
    const door = await Door.open();
    const answer = await door.ask(line);
    assert.equal(answer.status, status);
    assert.match(answer.json.detail, words);
    await door.world.end();
  });
}

test('who polls acknowledges with the next poll; whoever leaves waits for that', async () => {
  const door = await Door.open();
  door.put('a');
  const { json } = await door.ask('GET /v1/watch?service=orders&wait=0');
  door.registry.setStatus({ service: 'orders', id: 'a' }, 'draining');
  const answers: Answer[] = [];
  void door.ask('GET /v1/services/orders/instances/a/notice?wait=5000').then((answer) => answers.push(answer));
  const news = await door.ask(`GET /v1/watch?service=orders&wait=0&watch=${json.watch}&cursor=${json.cursor}`);
  await settle();
  assert.equal(answers.length, 0);
  void door.ask(`GET /v1/watch?service=orders&wait=9&watch=${json.watch}&cursor=${news.json.cursor}`);
  await settle();
  assert.deepEqual(answers[0]?.json, { noticed: true, waiting: 0, silent: [] });
  await door.world.clock.advance(9);
  await door.world.end();
});

test('lists for callers make it unknown who knows; for people they do not', async () => {
  const door = await Door.open();
  door.put('a');
  const silent = async (): Promise<string[]> =>
    (await door.ask('GET /v1/services/orders/instances/a/notice?wait=0')).json.silent;
  await door.ask('GET /v1/instances?service=orders&as=observer');
  assert.deepEqual(await silent(), []);
  await door.ask('GET /v1/instances?service=orders');
  assert.deepEqual(await silent(), ['lists']);
  await door.world.end();
});

test('the watches of a user that was removed end; those of others, and the registry, go on', async () => {
  const me: RegistryUser = { name: 'me', role: 'reader', password: new Secret('a long password') };
  const door = await Door.open([me]);
  const call = new Call({ clock: door.world.clock, random: Math.random });
  const { body } = await door.open('GET /v1/watch', call);
  const events: string[] = [];
  const ended = (async () => {
    for await (const { event } of decodeEvents(body as AsyncIterable<Uint8Array>)) events.push(event);
  })();
  const own = door.registry.watch(undefined);
  await settle();
  door.registry.endWatches((who) => who === 'me');
  await settle();
  assert.equal(door.registry.watchers, 2);
  door.registry.endWatches((who) => who === 'you');
  await ended;
  assert.deepEqual([events, door.registry.watchers], [['snapshot'], 1]);
  own.close();
  await door.world.end();
});
