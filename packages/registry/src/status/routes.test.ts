import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, Secret } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { decodeEvents, HttpHeaders, pathFromText, readBody, routesHandler } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import { MemoryEngine } from '../engines/memory-engine.ts';
import { DialBack } from '../server/dial-back.ts';
import type { PeerState } from '../server/peer-state.ts';
import { createRegistry, type RegistryOptions } from '../server/registry.ts';
import type { RegistryUser } from '../server/users.ts';
import { anInstance } from '../testing/instances.ts';
import { mostLivePages } from './live.ts';
import { statusRoutes } from './routes.ts';

async function served(
  users?: readonly RegistryUser[],
  options: Partial<RegistryOptions> = {},
  peers: () => readonly PeerState[] = () => [],
) {
  const [clock, random] = [new ManualClock(), seededRandom(1)];
  const registry = createRegistry({ clock, random, ...options });
  await registry.start();
  const network = memoryNetwork({ clock, random });
  const handler = routesHandler(statusRoutes(registry, { users, peers }));
  const listener = await network.listen({ host: '127.0.0.1', port: 8761 }, handler);
  const endpoint = network.connect({ protocol: 'http', host: '127.0.0.1', port: 8761 });
  const open = async (target: string, headers: Record<string, string> = {}, authority = '127.0.0.1:8761') => {
    const [path = '', query = ''] = target.split('?');
    const call = new Call({ clock, random });
    const fields = new HttpHeaders(Object.entries(headers));
    const request = { method: 'GET', authority, path: pathFromText(path), query, headers: fields, body: undefined };
    return { call, response: await endpoint.handle(request, call) };
  };
  const get = async (target: string, headers: Record<string, string> = {}, authority?: string) => {
    const { call, response } = await open(target, headers, authority);
    const text = Buffer.from(await readBody(response.body, 10_000_000, call)).toString();
    return { status: response.status, headers: response.headers, text };
  };
  const stop = async () => {
    await registry.stop('test');
    await Promise.all([listener.drain(0), clock.advance(0), settle()]);
  };
  return { clock, registry, get, open, stop };
}

test('the page is whole without scripts, and nothing on it is from elsewhere or inline', async () => {
  const { registry, get, stop } = await served();
  registry.register(anInstance({ id: 'orders-1', contracts: [{ name: 'order', version: 3, hash: 'abc' }] }));
  const { status, headers, text } = await get('/');
  assert.equal(status, 200);
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
  const policy = headers.get('content-security-policy') ?? '';
  assert.match(policy, /^default-src 'none'; style-src 'self'; script-src 'self';/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.match(text, /<h2 id="instances-title">1 instance<\/h2>/);
  for (const shown of ['orders-1', '10.0.0.1:8080', 'order</bdi> v3', 'heard', 'lapses in'])
    assert.ok(text.includes(shown), shown);
  assert.doesNotMatch(
    text,
    /\sstyle=|\son[a-z]+=|<style|<script(?! src="\/status\/page\.js" defer><\/script>)|javascript:/i,
  );
  for (const [, url] of text.matchAll(/(?:src|href|action)="([^"]*)"/g)) assert.match(url ?? '', /^[/#]/);
  for (const path of ['/status/page.css', '/status/page.js', '/status/icon.svg']) {
    const file = await get(path);
    assert.equal(file.status, 200);
    assert.equal(file.headers.get('x-content-type-options'), 'nosniff');
  }
  await stop();
});

test('a peer that keeps renewals to itself is a notice that says what to set', async () => {
  const peer: PeerState = {
    url: 'http://java:8761/eureka/',
    kind: 'eureka',
    reachable: true,
    queued: 0,
    lost: 0,
    withholds: { since: 1_767_225_600_000, service: 'orders', id: 'o<1' },
  };
  const { get, stop } = await served(undefined, {}, () => [peer]);
  const { text } = await get('/');
  for (const shown of ['A peer keeps renewals to itself', peer.url, 'o&#60;1', 'eureka.client.service-url.defaultZone'])
    assert.ok(text.includes(shown), shown);
  const { text: json } = await get('/v1/status');
  assert.deepEqual(JSON.parse(json).peers[0].withholds, peer.withholds);
  await stop();
});

test('what instances say of themselves is text, wherever it stands', async () => {
  const { registry, get, stop } = await served();
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
  registry.register(
    anInstance({
      id: evil,
      zone: evil,
      metadata: { [evil]: evil, plain: "' onclick='alert(1)" },
      contracts: [{ name: evil, version: 1, hash: evil }],
    }),
  );
  registry.register(anInstance({ id: 'other', contracts: [{ name: evil, version: 1, hash: 'x' }] }));
  const target = `/?q=${encodeURIComponent('"><script>alert(2)</script>')}&service=${encodeURIComponent('"><script>')}`;
  for (const { text } of [await get('/'), await get(target)]) {
    assert.equal(text.match(/<script/g)?.length, 1, 'the page’s own');
    assert.equal(text.match(/<img/g)?.length, 1);
    assert.doesNotMatch(text, /onclick='|="[^"]*"[^\s>]/);
  }
  await stop();
});

test('2,000 instances: a page shows fifty, and each can be found and paged to', async () => {
  const { registry, get, stop } = await served();
  for (let n = 0; n < 2_000; n++) {
    registry.register(anInstance({ service: `service-${n % 100}`, id: `i-${n}`, metadata: { rack: `r${n}` } }));
  }
  const { text } = await get('/');
  assert.equal(text.match(/<tr><th scope="row">/g)?.length, 50);
  assert.ok(text.length < 150_000, `${text.length}`);
  assert.match(text, /2,000 instances/);
  assert.match(text, /and 40 more services: search/);
  assert.match(text, /page 1 of 40/);
  const rows = async (target: string) => (await get(target)).text.match(/<tr><th scope="row">/g)?.length ?? 0;
  assert.equal(await rows('/?q=rack%3Dr1999'), 1);
  assert.equal(await rows('/?service=service-7&q=I-107%20rack'), 1);
  assert.equal(await rows('/?service=service-7'), 20);
  assert.equal(await rows('/?page=40'), 50);
  assert.equal(await rows('/?page=99999'), 50, 'the last one');
  assert.equal(await rows('/?status=down'), 0);
  assert.equal(await rows('/?page=-1&status=nonsense'), 50, 'what cannot be read is passed over');
  await stop();
});

test('the same as JSON', async () => {
  const { clock, registry, get, stop } = await served();
  registry.register(anInstance({ id: 'a' }));
  registry.setOverride({ service: 'orders', id: 'a' }, 'out-of-service');
  await clock.advance(5_000);
  const { headers, text } = await get('/v1/status');
  assert.equal(headers.get('content-type'), 'application/json');
  const { instances, byStatus, serviceList, instanceList, changes, saving, warming } = JSON.parse(text);
  assert.deepEqual([instances, byStatus, saving, warming], [1, { 'out-of-service': 1 }, { kept: false }, true]);
  assert.equal(serviceList[0].service, 'orders');
  assert.deepEqual([instanceList[0].silentMs, instanceList[0].lapsesInMs], [5_000, 85_000]);
  assert.deepEqual(
    changes.map(({ reason }: { reason: string }) => reason),
    ['updated', 'registered'],
  );
  await stop();
});

test('why eviction is paused, with its numbers; that the state is not saved; that instances do not agree', async () => {
  const failing = {
    load: async () => undefined,
    append: () => {},
    flush: async () => Promise.reject(new Error('ENOSPC: no space left on device')),
    crowded: false,
    save: async () => Promise.reject(new Error('ENOSPC: no space left on device')),
    close: async () => {},
  };
  const { clock, registry, get, stop } = await served(undefined, { store: failing });
  for (let n = 0; n < 10; n++) registry.register(anInstance({ id: `i-${n}` }));
  registry.register(anInstance({ service: 'x', id: 'one', contracts: [{ name: 'c', version: 1, hash: '1' }] }));
  registry.register(anInstance({ service: 'x', id: 'two', contracts: [{ name: 'c', version: 1, hash: '2' }] }));
  await clock.advance(91_000);
  const { text } = await get('/');
  assert.match(text, /Eviction is paused for <a href="\/\?service=orders"><bdi>orders<\/bdi>/);
  assert.match(text, /10 of 10 instances fell silent, more than the 2 that may go within 60 s/);
  assert.match(text, /The state is not saved.*ENOSPC: no space left on device/s);
  await stop();
});

test('that the engine is away, why, and how much only this node knows', async () => {
  const engine = new MemoryEngine();
  const { registry, get, stop } = await served(undefined, { engine: engine.node() });
  await settle();
  const { state, nodes, evicts } = JSON.parse((await get('/v1/status')).text).engine;
  assert.deepEqual([state, nodes, evicts], ['together', 1, true]);
  engine.down();
  registry.register(anInstance());
  const { text } = await get('/');
  assert.match(text, /The engine cannot be reached.*memory.*the engine is down.*1 instance this node alone/s);
  assert.match(text, /without its engine/);
  await stop();
});

test('an instance that registers appears on an open page; many changes are one push; an open page ends with the registry', async () => {
  const { clock, registry, open, stop } = await served();
  const { response, call } = await open('/status/live');
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const views: string[] = [];
  const { body } = response;
  assert.ok(body && !(body instanceof Uint8Array));
  const reading = (async () => {
    for await (const { event, data } of decodeEvents(body, { maxEventBytes: 1_000_000 }))
      if (event === 'view') views.push(data);
  })();
  await settle();
  assert.equal(views.length, 1, 'the present state at once');
  registry.register(anInstance({ id: 'first' }));
  registry.register(anInstance({ id: 'second' }));
  await clock.advance(250);
  assert.equal(views.length, 2);
  assert.match(views[1] ?? '', /first.*second/s);
  assert.match(views[1] ?? '', /\n/, 'lines are kept');
  await clock.advance(9_000);
  assert.equal(views.length, 2);
  await clock.advance(2_000);
  assert.equal(views.length, 3, 'leases age without a change');
  await registry.stop('test');
  await reading;
  call.end();
  assert.equal(registry.watchers, 0);
  await stop();
});

test('open pages are bounded, and one that is closed makes room', async () => {
  const { registry, open, get, stop } = await served();
  const calls: Call[] = [];
  for (let n = 0; n < mostLivePages; n++) calls.push((await open('/status/live')).call);
  assert.equal((await get('/status/live')).status, 503);
  assert.equal(registry.watchers, mostLivePages);
  calls[0]?.cancel();
  await settle();
  const again = await open('/status/live');
  assert.equal(again.response.status, 200);
  for (const call of [...calls, again.call]) call.cancel();
  await settle();
  assert.equal(registry.watchers, 0);
  await stop();
});

test('with users the page asks for one of them, a reader is enough; without, it answers to names of this machine alone', async () => {
  const reader: RegistryUser = { name: 'console', role: 'reader', password: new Secret('a long password') };
  const guarded = await served([reader]);
  const as = { authorization: `Basic ${Buffer.from('console:a long password').toString('base64')}` };
  for (const path of ['/', '/status/live', '/v1/status', '/status/page.js']) {
    const refused = await guarded.get(path);
    assert.equal(refused.status, 401, path);
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic realm=/);
  }
  assert.equal((await guarded.get('/', as, 'registry.example:8761')).status, 200);
  await guarded.stop();

  const open = await served();
  for (const [authority, status] of [
    ['localhost:8761', 200],
    ['[::1]:8761', 200],
    ['127.0.0.1', 200],
    ['evil.example:8761', 403],
    ['127.0.0.1.evil.example', 403],
  ] as const) {
    assert.equal((await open.get('/', {}, authority)).status, status, authority);
    assert.equal((await open.get('/v1/status', {}, authority)).status, status, authority);
  }
  await open.stop();
});

test('who could not be reached is named with the reason and what to do, on the page, as it is pushed, and as JSON', async () => {
  const [clock, random] = [new ManualClock(), seededRandom(1)];
  const registry = createRegistry({ clock, random });
  await registry.start();
  const dialer = { dial: async () => ({ outcome: 'closed', address: '10.0.0.1', detail: 'ECONNREFUSED' }) as const };
  const dialBack = new DialBack({ registry, dialer, clock });
  const { instance } = await dialBack.judge(anInstance({ id: 'orders-1' }), '10.0.0.1');
  registry.register(instance);
  const [problem] = dialBack.problems;
  const network = memoryNetwork({ clock, random });
  const listener = await network.listen(
    { host: '127.0.0.1', port: 8761 },
    routesHandler(statusRoutes(registry, { dialBack })),
  );
  const endpoint = network.connect({ protocol: 'http', host: '127.0.0.1', port: 8761 });
  const ask = async (path: string) => {
    const call = new Call({ clock, random });
    const headers = new HttpHeaders();
    const request = {
      method: 'GET',
      authority: '127.0.0.1',
      path: pathFromText(path),
      query: '',
      headers,
      body: undefined,
    };
    return { call, body: (await endpoint.handle(request, call)).body };
  };
  for (const path of ['/', '/v1/status']) {
    const { call, body } = await ask(path);
    const text = Buffer.from(await readBody(body, 1_000_000, call)).toString();
    const hint = problem?.hint.split('"')[0] ?? '';
    assert.notEqual(hint, '');
    for (const shown of ['orders-1', '10.0.0.1:8080', hint]) assert.ok(text.includes(shown), `${path}: ${shown}`);
  }
  const { call, body } = await ask('/status/live');
  assert.ok(body && !(body instanceof Uint8Array));
  for await (const { event, data } of decodeEvents(body, { maxEventBytes: 1_000_000 })) {
    if (event !== 'view') continue;
    assert.match(data, /Cannot be reached: <bdi>orders-1/);
    break;
  }
  call.cancel();
  await dialBack.stop();
  await registry.stop('test');
  await Promise.all([listener.drain(0), clock.advance(0), settle()]);
});
