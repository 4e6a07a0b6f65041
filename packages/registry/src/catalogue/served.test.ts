import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContractDocument } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { contractSource, object } from '../testing/contracts.ts';
import { fetchJson } from '../testing/fetch-json.ts';
import { anInstance } from '../testing/instances.ts';
import { World } from '../testing/world.ts';

const text = { type: 'string' };
const rich = contractSource({ out: object({ id: text, price: text }) });
const poor = contractSource({ out: object({ id: text }) });

type Source = typeof rich;

function documentOf({ hash, text: source }: Source): ContractDocument {
  return { hash, text: () => source };
}

function serving({ hash }: Source, id = 'a') {
  return anInstance({ id, service: 'products', contracts: [{ name: 'catalog', version: 1, hash }] });
}

function calling({ hash }: Source) {
  return anInstance({ id: 'w', service: 'web', calls: [{ name: 'catalog', version: 1, hash }] });
}

test('a registration brings the texts that are asked for; a newer registry gets them with a renewal', async () => {
  const world = new World();
  const first = await world.registry('registry');
  const { registrar } = world.client(['http://registry:8761']);
  registrar.register(serving(rich), [documentOf(rich)]);
  await settle();
  assert.deepEqual(first.registry.catalogue.wanted(serving(rich)), []);
  await first.stop();

  const second = await world.registry('registry');
  second.registry.register(serving(rich)); // as from a snapshot: nobody has to register again
  assert.deepEqual(second.registry.catalogue.wanted(serving(rich)), [rich.hash]);
  await world.clock.advance(40_000);
  assert.deepEqual(second.registry.catalogue.wanted(serving(rich)), []);
  await world.end();
});

test('a text that a registry does not take costs a line, not the registration', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  const { registrar } = world.client();
  registrar.register(serving(rich), [{ hash: rich.hash, text: () => poor.text }]);
  await world.clock.advance(120_000);
  assert.equal(registry.size, 1);
  const lines = world.messages('warn').filter((line) => line.includes('text of a contract'));
  assert.equal(lines.length, 1);
  await world.end();
});

test('who calls an operation, and who breaks if a field goes', async () => {
  const world = new World();
  await world.registry('registry');
  const { registrar } = world.client();
  registrar.register(serving(rich), [documentOf(rich)]);
  registrar.register(calling(rich), [documentOf(rich)]);
  registrar.register(anInstance({ id: 'm', service: 'mobile', calls: calling(poor).calls ?? [] }), [documentOf(poor)]);
  await settle();
  const get = (target: string) => fetchJson(world, `/v1/contracts${target}`);

  const impact = await get('/catalog/versions/1/impact?operation=product&field=out.price');
  assert.deepEqual(impact.json['callers'], [
    { service: 'web', hash: rich.hash, instances: 1, impact: 'breaks' },
    { service: 'mobile', hash: poor.hash, instances: 1, impact: 'unaffected' },
  ]);
  const shown = await get('/catalog/versions/1');
  assert.equal((shown.json['forms'] as unknown[]).length, 2);
  assert.deepEqual(shown.json['broken'], []);
  const all = await get('');
  assert.deepEqual(
    (all.json['contracts'] as { name: string }[]).map(({ name }) => name),
    ['catalog'],
  );
  const text = await get(`/catalog/versions/1/texts/${poor.hash}`);
  assert.deepEqual(text.json, JSON.parse(poor.text));
  for (const [target, status] of [
    ['/catalog/versions/1/texts/0000000000000000', 404],
    [`/catalog/versions/2/texts/${poor.hash}`, 404],
    ['/nobody/versions/1', 404],
    ['/catalog/versions/2', 404],
    ['/catalog/versions/x', 400],
    ['/catalog/versions/1/impact', 400],
    ['/catalog/versions/1/impact?operation=product&field=price', 400],
    ['/catalog/versions/1/impact?operation=product&other=1', 400],
  ] as const) {
    assert.equal((await get(target)).status, status, target);
  }
  await world.end();
});

test('the text of a contract can be had by who calls without having it', async () => {
  const world = new World();
  await world.registry('registry');
  const { registrar, contractText } = world.client();
  registrar.register(serving(rich), [documentOf(rich)]);
  await settle();
  const catalog = { name: 'catalog', version: 1, hash: rich.hash };
  assert.equal(await contractText(catalog), rich.text);
  assert.equal(await contractText({ ...catalog, hash: poor.hash }), undefined);
  assert.equal(await contractText({ ...catalog, name: 'nobody' }), undefined);
  await world.end();
});

test('an incompatible provider is reported, in the log too, until it is gone', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', { logger: world.logger });
  const { registrar } = world.client();
  registrar.register(calling(rich), [documentOf(rich)]);
  const provider = registrar.register(serving(poor), [documentOf(poor)]);
  await settle();
  assert.equal(registry.size, 2);
  const line = world.lines.find(({ message }) => message.startsWith('a provider does not keep'));
  assert.equal(line?.level, 'warn');
  assert.deepEqual(
    [line?.fields['provider'], line?.fields['caller'], line?.fields['detail']],
    ['products', 'web', 'out.price is gone, and the caller requires it'],
  );
  assert.equal(registry.catalogue.broken().length, 1);
  await provider.deregister();
  assert.ok(world.messages('info').includes('providers keep again what callers rely on'));
  await world.end();
});

test('a registry that judges refuses an incompatible provider, and takes a compatible one', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', { incompatible: 'refuse' });
  const { registrar } = world.client();
  registrar.register(calling(rich), [documentOf(rich)]);
  registrar.register(serving(poor), [documentOf(poor)]);
  registrar.register(serving(rich, 'b'), [documentOf(rich)]);
  await settle();
  assert.deepEqual(Array.from(registry.list(), ({ instance }) => instance.id).sort(), ['b', 'w']);
  const refusal = world.lines.find(({ message }) => message === 'the registry refuses the registration');
  assert.match(
    String(refusal?.fields['reason']),
    /"web" calls catalog v1 and relies on more: out\.price is gone.*new version/,
  );
  await world.end();
});

test('who was there before the policy stays with it', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', { incompatible: 'refuse' });
  registry.register(serving(poor));
  registry.addContract(poor.hash, poor.text);
  registry.addContract(rich.hash, rich.text);
  registry.register(calling(rich));
  registry.register({ ...serving(poor), incarnation: 2, weight: 2 });
  assert.equal(registry.get({ service: 'products', id: 'a' })?.instance.weight, 2);
  assert.throws(() => registry.register(serving(poor, 'new')), { code: 'INVALID_INPUT', httpStatus: 409 });
  await world.end();
});

test('forms of a contract that fit together are no conflict', async () => {
  const world = new World();
  const { registry } = await world.registry('registry');
  const wider = contractSource({ out: object({ id: text, 'note?': text }) });
  registry.register(serving(poor));
  registry.register(serving(wider, 'b'));
  assert.equal(registry.conflicts.length, 1, 'nobody knows yet');
  registry.addContract(poor.hash, poor.text);
  registry.addContract(wider.hash, wider.text);
  assert.deepEqual(registry.conflicts, []);
  await world.end();
});
