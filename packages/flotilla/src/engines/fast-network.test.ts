import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@flotilla/config';
import { Call, type Instance, nullLogger, nullMeter, nullTracer, systemClock, systemRandom } from '@flotilla/core';
import { unheard } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, parsePath, readBody } from '@flotilla/http';
import { contract, get, query } from '@flotilla/rpc/contract';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import { createHealth } from '@flotilla/telemetry';
import { z } from 'zod';
import { service } from '../app.ts';
import { connectClient, plainTransport } from '../client.ts';
import { serviceSchema } from '../platform-settings.ts';
import { startService } from '../start/start-service.ts';
import { fastNetwork } from './fast-network.ts';

const foundation = {
  clock: systemClock,
  random: systemRandom,
  logger: nullLogger,
  meter: nullMeter,
  tracer: nullTracer,
};

test('one port: typed calls and HTTP requests over RSocket, and HTTP/1.1, reach one application', async () => {
  const things = contract(
    { name: 'things', version: 1 },
    { get: query({ in: z.object({ id: z.string() }), out: z.object({ id: z.string() }), http: get('/things/{id}') }) },
  );
  const app = service('things');
  app.handle(things, { get: ({ id }) => ({ id }) });
  const { network, connector } = fastNetwork(foundation);
  const fast = rsocketTransport(connector, plainTransport({ ...foundation, network }), foundation);
  let registered: Instance | undefined;
  const resolver = {
    watch(_target: unknown, update: (set: { instances: readonly Instance[]; warming: boolean }) => void) {
      update({ instances: registered ? [registered] : [], warming: false });
      return { close() {} };
    },
  };
  const registrar = {
    register(instance: Instance) {
      registered = instance;
      return unheard;
    },
  };
  const { values } = loadConfig(serviceSchema(undefined), {
    files: [{ name: 'a test', text: '{"drainNoticeMs":0}' }],
  });
  const running = await startService(app, values, {
    ...foundation,
    network,
    fast,
    bindOf: (host, port) => ({ host, port }),
    discovery: { resolver, registrar, close: async () => {} },
    health: createHealth(),
    advertise: (host) => ({ host, reason: 'a test' }),
  });
  const connected = connectClient(things, {}, { ...foundation, network, fast, resolver });
  assert.deepEqual(await connected.client.get({ id: '7' }), { id: '7' });

  const [{ host, port } = { host: '', port: 0 }] = running.instance.addresses;
  for (const rsocket of [true, false]) {
    const endpoint = network.connect({ protocol: 'http', host, port, rsocket });
    const call = new Call({ ...foundation, deadline: systemClock.now() + 5_000 });
    const request: HttpRequest = {
      method: 'GET',
      authority: 'things',
      path: parsePath('/things/8'),
      query: '',
      headers: new HttpHeaders(),
      body: undefined,
    };
    const answer = await endpoint.handle(request, call);
    const text = new TextDecoder().decode(await readBody(answer.body, 1_000, call));
    assert.deepEqual([answer.status, text], [200, '{"id":"8"}'], `over RSocket: ${rsocket}`);
    await endpoint.close();
  }
  await connected.close();
  await running.stop('the test is over');
});
