import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { type TestContext, test } from 'node:test';
import { Secret, systemClock, systemRandom } from '@flotilla/core';
import { Authority, anInstance, type Issued } from '@flotilla/core/testing';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { routesHandler, type TlsOptions } from '@flotilla/http';
import { nodeNetwork, openTls } from '@flotilla/http/node';
import { registryClient } from '@flotilla/registry/client';
import { createAccess, createRegistry, type RegistryUser, registryRoutes } from '@flotilla/registry/server';

const [clock, random] = [systemClock, systemRandom];
const token = 'aVJlYWxseVJhbmRvbVRva2VuT2YyNTZCaXRzSXNMb25n';
const users: readonly RegistryUser[] = [
  { name: 'orders', role: 'instance', certificates: ['URI:spiffe://fleet/orders'] },
  { name: 'rival', role: 'instance', services: ['orders'], certificates: ['CN=rival'] },
  { name: 'ops', role: 'operator', tokens: [{ secret: new Secret(token) }] },
];

/** A registry that serves both its APIs over TLS, and asks for certificates. */
async function served(t: TestContext) {
  const authority = new Authority();
  t.after(() => authority.remove());
  const server = authority.issue({ name: 'registry', names: 'IP:127.0.0.1,DNS:localhost' });
  const orders = authority.issue({ name: 'orders', names: 'URI:spiffe://fleet/orders' });
  const rival = authority.issue({ name: 'rival' });
  const tls = await openTls({ ...server, ca: authority.ca, clientAuth: 'optional' }, { clock });
  const registry = createRegistry({ clock, random });
  await registry.start();
  const access = createAccess({ users });
  const listener = await nodeNetwork({ clock, random, tls }).listen(
    { host: '127.0.0.1', port: 0, tls: true },
    routesHandler([...registryRoutes(registry, { access }), ...eurekaRoutes(registry, { access })]),
  );
  t.after(async () => {
    tls.close();
    await Promise.all([registry.stop('test'), listener.drain(0)]);
  });
  const clientOf = async (options: TlsOptions, credentials = '') => {
    const own = await openTls(options, { clock });
    const client = registryClient({
      urls: [`https://${credentials}127.0.0.1:${listener.port}/eureka/`],
      network: nodeNetwork({ clock, random, tls: own }),
      clock,
      random,
    });
    t.after(async () => {
      own.close();
      await client.close();
    });
    return client;
  };
  return { authority, registry, orders, rival, port: listener.port, clientOf };
}

/** What any client of others does: Node's own https. */
async function ask(
  method: string,
  path: string,
  {
    port,
    ca,
    identity,
    headers = {},
  }: { port: number; ca: string; identity?: Issued; headers?: Record<string, string> },
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const certificate = identity && { cert: readFileSync(identity.cert), key: readFileSync(identity.key) };
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers,
    ca: readFileSync(ca),
    ...certificate,
    agent: false,
  });
  sent.end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}

test('over TLS a certificate registers, owns and ends its instance; one of the same service may not', async (t) => {
  const { authority, registry, orders, rival, port, clientOf } = await served(t);
  const ca = authority.ca;
  const owner = await clientOf({ ...orders, ca });
  const registration = owner.registrar.register(anInstance());
  await registration.announced;
  assert.equal(registry.get({ service: 'orders', id: 'a' })?.owner, 'orders');
  const seen = new Promise<number>((resolve) => {
    owner.resolver.watch({ service: 'orders' }, ({ instances }) => resolve(instances.length));
  });
  assert.equal(await seen, 1, 'pushed over TLS');

  const lines = ['DELETE /v1/services/orders/instances/a', 'DELETE /eureka/apps/ORDERS/a', 'PUT /eureka/apps/ORDERS/a'];
  for (const line of lines) {
    const [method = '', path = ''] = line.split(' ');
    assert.equal((await ask(method, path, { port, ca, identity: rival })).status, 403, line);
    assert.equal((await ask(method, path, { port, ca })).status, 401, line);
  }
  assert.equal(registry.size, 1);
  assert.equal((await ask('PUT', '/eureka/apps/ORDERS/a', { port, ca, identity: orders })).status, 200);
  const listed = await ask('GET', '/eureka/apps/ORDERS', {
    port,
    ca,
    identity: rival,
    headers: { accept: 'application/json' },
  });
  assert.match(listed.text, /"instanceId":"a"/);
  await registration.deregister();
  assert.equal(registry.size, 0);
});

test('over TLS a token in a head works without a certificate', async (t) => {
  const { authority, port, clientOf } = await served(t);
  const ca = authority.ca;
  const authorization = `Bearer ${token}`;
  assert.equal((await ask('GET', '/v1/audit', { port, ca, headers: { authorization } })).status, 200);
  assert.equal(
    (await ask('GET', '/v1/audit', { port, ca, headers: { authorization: `${authorization}x` } })).status,
    401,
  );
  const client = await clientOf({ ca }, `ops:${token}@`);
  const registration = client.registrar.register(anInstance({ id: 'b' }));
  await registration.announced;
  assert.equal(
    (await ask('GET', '/v1/services/orders/instances/b', { port, ca, headers: { authorization } })).status,
    200,
  );
  await registration.deregister();
});
