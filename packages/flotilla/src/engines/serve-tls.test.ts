import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadConfig } from '@flotilla/config';
import {
  type FlotillaError,
  type Instance,
  nullLogger,
  nullMeter,
  nullTracer,
  systemClock,
  systemRandom,
} from '@flotilla/core';
import { Authority, type Issued, unheard } from '@flotilla/core/testing';
import { openTls, type TlsFiles } from '@flotilla/http/node';
import { contract, query } from '@flotilla/rpc/contract';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import { createHealth } from '@flotilla/telemetry';
import { z } from 'zod';
import { service } from '../app.ts';
import { connectClient, plainTransport } from '../client.ts';
import { createLazyFetch } from '../fetch/fetch.ts';
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
const things = contract({ name: 'things', version: 1 }, { who: query({ out: z.string() }) });

let authority: Authority;
let ofService: Issued;
let ofCaller: Issued;

before(() => {
  authority = new Authority();
  ofService = authority.issue({ name: 'things', names: 'IP:127.0.0.1' });
  ofCaller = authority.issue({ name: 'caller', names: 'DNS:caller.internal' });
});
after(() => authority.remove());

/** What a process sees of the fleet, with this certificate or none. */
async function party(issued: Issued | undefined) {
  const options = { ...issued, ca: authority.ca, clientAuth: 'require' as const };
  const tls: TlsFiles = await openTls(options, { clock: systemClock, logger: nullLogger });
  const { network, connector } = fastNetwork({ ...foundation, tls });
  return { tls, network, fast: rsocketTransport(connector, plainTransport({ ...foundation, network }), foundation) };
}

for (const transport of ['auto', 'http'] as const) {
  test(`a service that serves TLS is called with mutual certificates, transport ${transport}`, async () => {
    const app = service('things');
    app.handle(things, { who: () => 'the service' });
    const serving = await party(ofService);
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
      files: [{ name: 'a test', text: JSON.stringify({ drainNoticeMs: 0, transport, tls: { serve: true } }) }],
    });
    const running = await startService(app, values, {
      ...foundation,
      ...serving,
      bindOf: (host, port) => ({ host, port, tls: values.tls.serve }),
      discovery: { resolver, registrar, close: async () => {} },
      health: createHealth(),
      advertise: (host) => ({ host, reason: 'a test' }),
    });
    assert.match(running.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const protocols = running.instance.addresses.map(({ protocol }) => protocol);
    assert.deepEqual(protocols, transport === 'auto' ? ['https', 'rsockets'] : ['https']);

    const caller = await party(ofCaller);
    const known = connectClient(things, {}, { ...foundation, ...caller, resolver });
    assert.equal(await known.client.who(undefined), 'the service');
    const balanced = createLazyFetch();
    balanced.connect({ ...foundation, ...caller, resolver });
    const answer = await balanced.fetch('http://things/things/who', { retry: false });
    assert.notEqual(answer.status, 401);
    await answer.body?.cancel();

    const nobody = await party(undefined);
    const unknown = connectClient(things, {}, { ...foundation, ...nobody, resolver });
    await assert.rejects(unknown.client.who(undefined), (thrown: FlotillaError) => {
      assert.match(thrown.detail, /wants a client certificate/);
      assert.equal(thrown.executed, 'no');
      return true;
    });
    await Promise.all([known.close(), unknown.close(), balanced.close()]);
    await running.stop('the test is over');
    for (const { tls } of [serving, caller, nobody]) tls.close();
  });
}
