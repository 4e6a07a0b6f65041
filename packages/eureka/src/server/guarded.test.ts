import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@flotilla/core';
import { aUser, basicOf, ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { HttpHeaders, pathFromText, readBody } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import {
  AuditTrail,
  type ClientLimits,
  ClientMeter,
  createAccess,
  createRegistry,
  DialBack,
  type Dialled,
} from '@flotilla/registry/server';
import { registration } from '../testing/served.ts';
import { eurekaHandler } from './routes.ts';

const users = [
  aUser('order-service', 'instance'),
  aUser('twin', 'instance', ['order-service']),
  aUser('ops', 'operator'),
];
const place = '/eureka/apps/ORDER-SERVICE/127.0.0.1:order-service:18720';

async function guarded(limits: Partial<ClientLimits> = {}, outcome?: () => Dialled['outcome']) {
  const [clock, random] = [new ManualClock(), seededRandom(1)];
  const audit = new AuditTrail({ clock });
  const registry = createRegistry({ clock, random, audit });
  await registry.start();
  const access = createAccess({ users, audit, meter: new ClientMeter(limits) });
  const dial = async (): Promise<Dialled> => ({ outcome: outcome?.() ?? 'reached', detail: 'as the test says' });
  const dialBack = outcome && new DialBack({ registry, clock, dialer: { dial }, allow: ['127.0.0.0/8'] });
  const network = memoryNetwork({ clock, random });
  const listener = await network.listen(
    { host: 'registry', port: 8761 },
    eurekaHandler(registry, { access, ...(dialBack ? { dialBack } : undefined) }),
  );
  const endpoint = network.connect({ protocol: 'http', host: 'registry', port: 8761 });
  const send = async (as: string, line: string, json?: unknown, more: Readonly<Record<string, string>> = {}) => {
    const [method = '', target = ''] = line.split(' ');
    const [path = '', query = ''] = target.split('?');
    const authorization = basicOf(as);
    const headers = new HttpHeaders(
      Object.entries({ authorization, accept: 'application/json', 'content-type': 'application/json', ...more }),
    );
    const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
    const call = new Call({ clock, random });
    const sent = { method, authority: 'registry:8761', path: pathFromText(path), query, headers, body };
    const response = await endpoint.handle(sent, call);
    const text = Buffer.from(await readBody(response.body, 1_000_000, call)).toString();
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text };
  };
  const stop = async () => {
    await dialBack?.stop();
    await registry.stop('test');
    await Promise.all([listener.drain(0), clock.advance(0), settle()]);
  };
  const status = () => [...registry.list()][0]?.instance.status;
  return { clock, registry, audit, send, status, stop };
}

test("by Eureka's API too, an instance belongs to who registered it", async () => {
  const { registry, send, stop, audit, clock } = await guarded();
  const dirty = clock.wallNow();
  assert.equal((await send('order-service', 'POST /eureka/apps/ORDER-SERVICE', registration(dirty))).status, 204);
  const refused = [
    `PUT ${place}`,
    `DELETE ${place}`,
    `PUT ${place}/metadata?zone=mine`,
    `PUT ${place}/status?value=OUT_OF_SERVICE`,
    `DELETE ${place}/status`,
  ];
  for (const line of refused) assert.equal((await send('twin', line)).status, 403, line);
  const again = await send('twin', 'POST /eureka/apps/ORDER-SERVICE', registration(dirty + 1));
  assert.equal(again.status, 403);
  assert.deepEqual(
    audit.recent.map(({ who, outcome }) => `${who} ${outcome}`),
    Array.from({ length: 6 }, () => 'twin refused'),
  );
  assert.equal((await send('order-service', `PUT ${place}`)).status, 200);
  assert.equal((await send('ops', `PUT ${place}/status?value=OUT_OF_SERVICE`)).status, 200);
  assert.deepEqual(
    [audit.recent[0]?.who, audit.recent[0]?.action, audit.recent[0]?.after],
    ['ops', 'override', 'out-of-service'],
  );
  assert.equal((await send('order-service', `DELETE ${place}`)).status, 200);
  assert.equal(registry.size, 0);
  await stop();
});

test('a forged replication header is refused and written down', async () => {
  const { send, stop, audit, registry, clock } = await guarded();
  const forged = { 'x-netflix-discovery-replication': 'true' };
  const { status } = await send(
    'order-service',
    'POST /eureka/apps/ORDER-SERVICE',
    registration(clock.wallNow()),
    forged,
  );
  assert.equal(status, 403);
  assert.equal(registry.size, 0);
  assert.match(audit.recent[0]?.reason ?? '', /^FORBIDDEN: .*peer/);
  await stop();
});

test('heartbeats have an allowance of their own, and a herd that wants everybody is sent away for a while', async () => {
  const { send, stop, clock } = await guarded({
    renewal: { perSecond: 1, burst: 2 },
    read: { perSecond: 1, burst: 1 },
    maxListBytes: 1,
  });
  await send('order-service', 'POST /eureka/apps/ORDER-SERVICE', registration(clock.wallNow()));
  const beats = [];
  for (let i = 0; i < 3; i++) beats.push((await send('order-service', `PUT ${place}`)).status);
  assert.deepEqual(beats, [200, 200, 429]);
  assert.equal((await send('twin', 'GET /eureka/apps')).status, 200);
  const refused = await send('twin', 'GET /eureka/apps');
  assert.equal(refused.status, 429);
  assert.match(refused.retryAfter ?? '', /^[12]$/);
  await stop();
});

test('an instance of Java that cannot be reached is listed as starting until it can', async () => {
  let outcome: Dialled['outcome'] = 'closed';
  const { send, stop, status, clock } = await guarded({}, () => outcome);
  assert.equal(
    (await send('order-service', 'POST /eureka/apps/ORDER-SERVICE', registration(clock.wallNow()))).status,
    204,
  );
  assert.equal(status(), 'starting');
  assert.match((await send('ops', 'GET /eureka/apps')).text, /"status":"STARTING"/);
  assert.equal((await send('order-service', `PUT ${place}`)).status, 200, 'its heartbeats count meanwhile');
  outcome = 'reached';
  await clock.advance(10_000);
  assert.equal(status(), 'up');
  await stop();
});
