import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, toFlotillaError } from '@flotilla/core';
import { aUser, basicOf, ManualClock, seededRandom } from '@flotilla/core/testing';
import { answerNowOf, type HttpHandler, HttpHeaders, pathFromText, routesHandler } from '@flotilla/http';
import { AuditTrail, ClientMeter, createAccess, createRegistry, registryRoutes } from '@flotilla/registry/server';
import { registration } from '../testing/served.ts';
import { eurekaRoutes } from './routes.ts';

const users = [
  aUser('order-service', 'instance'),
  aUser('twin', 'instance', ['order-service']),
  aUser('other', 'instance'),
  aUser('console', 'reader'),
  aUser('peer', 'peer'),
  aUser('ops', 'operator'),
];
const dirty = 1_767_225_600_000;
const place = '/eureka/apps/ORDER-SERVICE/127.0.0.1:order-service:18720';
const native = '/v1/services/order-service/instances/127.0.0.1:order-service:18720/renewal';

interface Sent {
  readonly line: string;
  readonly as?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** A registry with one instance whose owner proved itself. @param isPrompt false: it has no short way. */
async function registryWith(isPrompt: boolean) {
  const [clock, random] = [new ManualClock(), seededRandom(1)];
  const audit = new AuditTrail({ clock });
  const registry = createRegistry({ clock, random, audit });
  await registry.start();
  const meter = new ClientMeter({ renewal: { perSecond: 1, burst: 3 } });
  const access = createAccess({ users, audit, meter });
  const routes = routesHandler([...registryRoutes(registry, { access }), ...eurekaRoutes(registry, { access })]);
  const handler: HttpHandler = isPrompt ? routes : (request, call) => routes(request, call);
  let atOnce = 0;
  const peer = { address: '192.0.2.7', port: 1_024, encrypted: false };
  const send = async ({ line, as = 'order-service', fields = {} }: Sent, json?: unknown) => {
    const [method = '', target = ''] = line.split(' ');
    const [path = '', query = ''] = target.split('?');
    const authorization = basicOf(as);
    const given = { accept: 'application/json', 'content-type': 'application/json', authorization, ...fields };
    const headers = new HttpHeaders(Object.entries(given).filter(([, value]) => value !== ''));
    const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
    const request = { method, authority: 'registry:8761', path: pathFromText(path), query, headers, body, peer };
    const now = body ? undefined : answerNowOf(handler)?.(request, { clock, params: new Map() });
    if (now) atOnce++;
    if (now) return [now.status, [...now.headers], now.body];
    try {
      const { status, headers, body: answered } = await handler(request, new Call({ clock, random }));
      return [status, [...headers], answered?.toString()];
    } catch (thrown) {
      const { httpStatus, detail } = toFlotillaError(thrown);
      return [httpStatus, [], detail];
    }
  };
  for (const as of users.map(({ name }) => name)) await send({ line: 'GET /eureka/apps/delta', as });
  const [status] = await send({ line: 'POST /eureka/apps/ORDER-SERVICE' }, registration(dirty));
  assert.equal(status, 204);
  return { clock, registry, audit, send, atOnce: () => atOnce };
}

const alive = `PUT ${place}?status=UP&lastDirtyTimestamp=${dirty}`;

/** Each of them alone, at a registry of its own. */
const cases: readonly (Sent & { readonly atOnce: boolean })[] = [
  { line: alive, atOnce: true },
  { line: `PUT ${place}`, atOnce: true },
  { line: alive, as: 'ops', atOnce: true },
  { line: `PUT ${place}?lastDirtyTimestamp=${dirty - 1}`, atOnce: true },
  { line: alive, fields: { accept: '' }, atOnce: true },
  { line: alive, fields: { accept: 'text/plain' }, atOnce: false },
  { line: alive, fields: { origin: 'https://evil.example' }, atOnce: false },
  { line: alive, fields: { 'x-netflix-discovery-replication': 'true' }, atOnce: false },
  { line: alive, fields: { 'x-netflix-discovery-replication': 'true' }, as: 'peer', atOnce: false },
  { line: alive, fields: { authorization: '' }, atOnce: false },
  { line: alive, fields: { authorization: 'Basic b3BzOndyb25n' }, atOnce: false },
  { line: alive, as: 'twin', atOnce: false },
  { line: alive, as: 'other', atOnce: false },
  { line: alive, as: 'console', atOnce: false },
  { line: `PUT ${place}?lastDirtyTimestamp=${dirty + 1}`, atOnce: false },
  { line: `PUT ${place}?lastDirtyTimestamp=`, atOnce: false },
  { line: `PUT ${place}?lastDirtyTimestamp=0x10`, atOnce: false },
  { line: `PUT ${place}-other`, atOnce: false },
  { line: `GET ${place}`, atOnce: false },
  { line: `DELETE ${place}`, atOnce: false },
  { line: `POST ${native}`, atOnce: true },
  { line: `POST ${native}?incarnation=${dirty}`, atOnce: true },
  { line: `POST ${native}?incarnation=${dirty + 1}`, atOnce: false },
  { line: `POST ${native}?incarnation=x`, atOnce: false },
  { line: `POST ${native}?version=1`, atOnce: false },
  { line: `POST ${native.replace('order-service', 'order-service@1')}`, atOnce: false },
  { line: `POST ${native}`, as: 'twin', atOnce: false },
];
for (const sent of cases) {
  const { line, as = 'its owner', fields = {}, atOnce } = sent;
  test(`${line.replaceAll(place, '…').replaceAll(native, '/v1…')} by ${as} ${JSON.stringify(fields)}`, async () => {
    const [short, long] = [await registryWith(true), await registryWith(false)];
    for (const { clock } of [short, long]) await clock.advance(10_000);
    // Until the limit is reached, which both ways count alike.
    for (let times = 0; times < 5; times++) assert.deepEqual(await short.send(sent), await long.send(sent));
    assert.equal(short.atOnce() > 0, atOnce);
    assert.equal(long.atOnce(), 0);
    assert.deepEqual([...short.registry.list()], [...long.registry.list()]);
    const notes = ({ audit }: typeof short) => audit.recent.map(({ who, outcome, reason }) => [who, outcome, reason]);
    assert.deepEqual(notes(short), notes(long));
    await Promise.all([short.registry.stop('test'), long.registry.stop('test')]);
  });
}

test('who was not seen before is asked the long way, and no guess is any cheaper', async () => {
  const { send, atOnce } = await registryWith(true);
  for (let guess = 0; guess < 10; guess++) {
    const authorization = `Basic ${Buffer.from(`order-service:guess ${guess}`).toString('base64')}`;
    assert.equal((await send({ line: alive, fields: { authorization } }))[0], 401);
  }
  const authorization = `Basic ${Buffer.from('order-service:guess 11').toString('base64')}`;
  assert.equal((await send({ line: alive, fields: { authorization } }))[0], 429);
  assert.equal(atOnce(), 0);
  assert.equal((await send({ line: alive }))[0], 200, 'its owner is served meanwhile');
  assert.equal(atOnce(), 1);
});
