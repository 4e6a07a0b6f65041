import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@flotilla/config';
import { type InstanceSet, nullLogger, nullMeter, nullTracer, type Registrar } from '@flotilla/core';
import { anInstance, ManualClock, seededRandom, unheard } from '@flotilla/core/testing';
import { memoryNetwork } from '@flotilla/http/memory';
import { createHealth } from '@flotilla/telemetry';
import { z } from 'zod';
import { service } from './app.ts';
import { contract, query } from './contract.ts';
import type { ServiceRuntime } from './start/service-runtime.ts';
import { configSchemaOf, startService } from './start/start-service.ts';

const catalog = contract({ name: 'catalog', version: 1 }, { product: query({ in: z.string(), out: z.string() }) });

const registrar: Registrar = {
  register: () => unheard,
};

/** A registry that knows two instances of the catalog, one of them in the next lane. */
function watch(_target: unknown, update: (set: InstanceSet) => void): { close(): void } {
  const contracts = [{ name: 'catalog', version: 1, hash: '' }];
  const address = { protocol: 'http', host: '10.0.0.1', port: 8080 };
  const instances = ['a', 'b'].map((zone) =>
    anInstance({ id: `catalog-${zone}`, contracts, zone, addresses: [{ ...address, host: `${zone}.internal` }] }),
  );
  update({ instances, warming: false });
  return { close() {} };
}

function runtime(): ServiceRuntime {
  const [clock, random] = [new ManualClock(), seededRandom(1)];
  return {
    network: memoryNetwork({ clock, random }),
    bindOf: (host, port) => ({ host, port }),
    discovery: { resolver: { watch }, registrar, close: async () => {} } as ServiceRuntime['discovery'],
    clock,
    random,
    logger: nullLogger,
    meter: nullMeter,
    tracer: nullTracer,
    health: createHealth(),
    advertise: (host) => ({ host, reason: 'a test' }),
  };
}

test('the balance of a client follows the configuration while the service runs, and wins over the code', async () => {
  const app = service('web');
  app.client(catalog, { pick: 'random', balance: { warmUpMs: 7 } });
  const schema = configSchemaOf(app);
  const configured = (clients: object) =>
    loadConfig(schema, {
      files: [{ name: 'flotilla.yaml', text: JSON.stringify({ port: 4_000, zone: 'a', drainNoticeMs: 0, clients }) }],
    }).values;
  const running = await startService(app, configured({}), runtime());
  const seen = () => {
    const [explained] = running.why('catalog');
    return [explained?.pick, explained?.instances.filter(({ leftOut }) => !leftOut).map(({ id }) => id)];
  };
  assert.deepEqual(seen(), ['random', ['catalog-a']], 'the code counts, and the zone of the service is its own');
  running.refresh(configured({ '*': { balance: { zone: { prefer: false } } } }));
  assert.deepEqual(seen(), ['random', ['catalog-a', 'catalog-b']]);
  running.refresh(configured({ '*': { balance: { pick: 'hash' } }, catalog: { balance: { pick: 'sticky' } } }));
  assert.deepEqual(seen(), ['sticky', ['catalog-a']]);
  running.refresh(configured({}));
  assert.deepEqual(seen(), ['random', ['catalog-a']], 'what is no longer written counts no longer');
  assert.throws(() => running.why('users'), {
    code: 'NO_ROUTE',
    message: /does not call "users"; it calls "catalog"/,
  });
  await running.stop('test');
  assert.deepEqual(running.why(undefined), []);
});
