import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type FlotillaError, type Instance, identity, Secret, systemClock, systemRandom } from '@flotilla/core';
import { anInstance } from '@flotilla/core/testing';
import { nodeNetwork } from '@flotilla/http/node';
import { createRegistry, type Registry, type RegistryUser, registryHandler } from '@flotilla/registry/server';
import { RegistryApi } from '../engines/registry-api.ts';
import { contracts, impact } from './contracts.ts';
import { instances } from './instances.ts';
import { evict, override } from './operate.ts';
import type { Output } from './output.ts';
import { services } from './services.ts';
import { watch } from './watch.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A registry on a real socket, and how an operator reaches it. */
async function served(users?: readonly RegistryUser[]): Promise<{ registry: Registry; api: RegistryApi; url: string }> {
  const parts = { clock: systemClock, random: systemRandom };
  const registry = createRegistry(parts);
  await registry.start();
  const network = nodeNetwork(parts);
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, registryHandler(registry, { users }));
  stops.push(
    () => registry.stop('test'),
    () => listener.drain(1_000),
  );
  const url = `http://127.0.0.1:${listener.port}`;
  return { registry, api: new RegistryApi(url), url };
}

function recorded(json = false): Output & { readonly lines: string[]; text(): string } {
  const lines: string[] = [];
  return { json, lines, print: (line) => void lines.push(line), text: () => lines.join('\n') };
}

const key = { service: 'orders', id: 'a' };

test('of several registries the first that answers is asked; what is no URL is said without its password', async () => {
  const { registry, url } = await served();
  registry.register(anInstance());
  const listed = recorded();
  await services(new RegistryApi(`http://127.0.0.1:1, ${url}/`), listed);
  assert.match(listed.text(), /orders/);
  await assert.rejects(services(new RegistryApi('http://127.0.0.1:1,http://127.0.0.1:2'), recorded()), {
    code: 'CONNECT_FAILED',
    message: /no registry answers: http:\/\/127\.0\.0\.1:1 does not answer.*http:\/\/127\.0\.0\.1:2 does not answer/,
  });
  for (const text of ['127.0.0.1:8761', 'etcd://h', '', 'ops:secret-word@host']) {
    assert.throws(
      () => new RegistryApi(text),
      ({ code, message }: FlotillaError) => code === 'CONFIG_INVALID' && !message.includes('secret-word'),
      text,
    );
  }
});

test('who is missing or refused is told where a user and a token go', async () => {
  const { url } = await served([{ name: 'ops', role: 'operator', password: new Secret('a long password') }]);
  await assert.rejects(services(new RegistryApi(url), recorded()), {
    code: 'UNAUTHENTICATED',
    message: /put it into the URL, http:\/\/user:password@127\.0\.0\.1:\d+, a token in place of the password/,
  });
  await assert.rejects(services(new RegistryApi(url.replace('//', '//ops:wrong@')), recorded()), {
    code: 'UNAUTHENTICATED',
    message: /does not take what the URL says of "ops"/,
  });
});

test('services and instances are listed, narrowed by service and state, as tables and as JSON', async () => {
  const { registry, api } = await served();
  const empty = recorded();
  await services(api, empty);
  assert.equal(empty.text(), 'no service is registered');
  registry.register(anInstance());
  registry.register(anInstance({ id: 'b', status: 'starting' }));
  registry.register(anInstance({ id: 'x', identity: identity('stock', { group: 'eu', version: '2' }) }));

  const rows = recorded();
  await services(api, rows);
  assert.match(rows.text(), /^SERVICE +UP +INSTANCES +NOTE\neu\/stock@2 +1 +1 *\norders +1 +2/);
  const narrowed = recorded(true);
  await instances(api, { service: 'orders', status: 'up' }, narrowed);
  assert.deepEqual(
    (JSON.parse(narrowed.text()) as { instances: Instance[] }).instances.map(({ id }) => id),
    ['a'],
  );
  const none = recorded();
  await instances(api, { service: 'payments' }, none);
  assert.match(none.text(), /no instance is registered that fits/);
});

test('an instance is taken out, drained and put back; what was and what is now is said', async () => {
  const { registry, api } = await served();
  registry.register(anInstance());
  const out = recorded();
  await override(api, { service: 'orders' }, 'out-of-service', out);
  assert.match(out.text(), /a +up +out-of-service \(operator; itself up\)/);
  assert.equal(registry.get(key)?.instance.override, 'out-of-service');
  await override(api, { service: 'orders', instance: 'a' }, 'draining', recorded());
  assert.equal(registry.get(key)?.instance.override, 'draining');
  const back = recorded(true);
  await override(api, { service: 'orders', instance: 'a' }, undefined, back);
  assert.deepEqual(JSON.parse(back.text()), [
    { service: 'orders', id: 'a', before: 'draining (operator; itself up)', after: 'up' },
  ]);
  assert.equal(registry.get(key)?.instance.override, undefined);
});

test('of several instances one is named, or all are; a name that is nearly right is suggested', async () => {
  const { registry, api } = await served();
  for (const id of ['host-1:8080', 'host-2:8080']) registry.register(anInstance({ id }));
  await assert.rejects(override(api, { service: 'orders' }, 'down', recorded()), {
    code: 'INVALID_INPUT',
    message: /"orders" has 2 instances: name one, or say --all\nhost-1:8080\nhost-2:8080/,
  });
  await assert.rejects(override(api, { service: 'orders', instance: 'host-1:808' }, 'down', recorded()), {
    message: /did you mean "host-1:8080"\?/,
  });
  await assert.rejects(override(api, { service: 'order' }, 'down', recorded()), {
    message: /"flotilla services" lists/,
  });
  await override(api, { service: 'orders', all: true }, 'down', recorded());
  assert.deepEqual(
    Array.from(registry.list(), ({ instance }) => instance.override),
    ['down', 'down'],
  );
});

test('what is really gone is evicted: an instance by its name, or what is held of a service', async () => {
  const { registry, api } = await served();
  const group = identity('stock', { group: 'eu' });
  registry.register(anInstance({ id: 'a b:c', identity: group }));
  const gone = recorded();
  await evict(api, { service: 'eu/stock', instance: 'a b:c' }, gone);
  assert.match(gone.text(), /evicted "a b:c"; if it lives, it registers again/);
  assert.equal(registry.size, 0);
  const held = recorded();
  await evict(api, { service: 'orders' }, held);
  assert.equal(
    held.text(),
    'no instance of "orders" is silent and held; one that is listed and gone: flotilla evict orders <instance>',
  );
});

test('credentials go along; a refusal says why, nobody there says where', async () => {
  const user = { name: 'ops', role: 'operator', password: new Secret('a long password') } as const;
  const { registry, url } = await served([user]);
  registry.register(anInstance());
  const as = (who: string): RegistryApi => new RegistryApi(url.replace('//', `//${who}@`));
  await override(as('ops:a%20long%20password'), { service: 'orders' }, 'down', recorded());
  await assert.rejects(override(as('ops:wrong'), { service: 'orders' }, 'down', recorded()), {
    code: 'UNAUTHENTICATED',
    message: /does not take what the URL says of "ops"/,
  });
  await assert.rejects(services(new RegistryApi('http://127.0.0.1:1'), recorded()), { code: 'CONNECT_FAILED' });
});

test('a watch tells who is there and every change, and goes on when it breaks off', async () => {
  const { registry, api } = await served();
  registry.register(anInstance());
  const seen = Array.from({ length: 5 }, () => Promise.withResolvers<string>());
  const lines: string[] = [];
  const stop = new AbortController();
  const print = (line: string): void => seen[lines.push(line) - 1]?.resolve(line);
  let pauses = 0;
  const ended = watch(api, 'orders', { json: false, print }, { signal: stop.signal, pause: async () => void pauses++ });
  assert.equal(await seen[0]?.promise, '+ orders a up');
  registry.setOverride(key, 'down');
  assert.equal(await seen[1]?.promise, '~ orders a up → down (operator; itself up)');
  registry.register(anInstance({ weight: 3, incarnation: 2 }));
  assert.equal(await seen[2]?.promise, '~ orders a says something else of itself');
  registry.deregister(key);
  assert.equal(await seen[3]?.promise, '- orders a deregistered');
  await registry.stop('breaks every watch off');
  assert.equal(await seen[4]?.promise, 'the watch broke off; going on');
  stop.abort();
  await ended;
  assert.ok(pauses >= 1);
});

test('contracts, and who breaks if a field goes', async () => {
  const { registry, api } = await served();
  const ref = { name: 'catalog', version: 2, hash: '0123456789abcdef' };
  registry.register(anInstance({ contracts: [ref] }));
  registry.register(anInstance({ id: 'w', identity: identity('web'), calls: [ref] }));
  const listed = recorded();
  await contracts(api, listed);
  assert.match(listed.text(), /catalog v2 +orders +web/);
  const told = recorded();
  await impact(api, 'catalog@2.product', 'out.price', told);
  assert.match(told.text(), /CALLER +INSTANCES +IF out\.price GOES\nweb +1 +unknown/);
  await assert.rejects(impact(api, 'catalog.product', undefined, recorded()), { code: 'NO_ROUTE' });
  await assert.rejects(impact(api, 'catalog', undefined, recorded()), { code: 'INVALID_INPUT' });
});
