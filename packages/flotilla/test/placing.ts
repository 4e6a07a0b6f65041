import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type InstanceSet,
  nullLogger,
  nullMeter,
  nullTracer,
  type Registrar,
  type Resolver,
  startAll,
  systemClock,
  systemRandom,
} from '@flotilla/core';
import { bind, type Client } from '@flotilla/rpc';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import { createHealth } from '@flotilla/telemetry';
import { connectClient, plainTransport } from '../src/client.ts';
import { fastNetwork } from '../src/engines/fast-network.ts';
import { createLazyFetch, type FleetFetch } from '../src/fetch/fetch.ts';
import { openPlacedConfig } from '../src/placement/engines/open-placed-config.ts';
import { placeServices } from '../src/placement/engines/place-services.ts';
import { loadPlaced } from '../src/placement/engines/placed-app.ts';
import type { Placement } from '../src/placement/local-places.ts';
import { startService } from '../src/start/start-service.ts';
import { events, stock } from './fixtures/placed.ts';

/** A service in its place, and a client of it. */
export interface Placed {
  readonly client: Client<typeof stock>;
  /** One that can be called back: three times it says that it wants to hear more. */
  readonly serving: Client<typeof stock>;
  readonly fetch: FleetFetch;
  /** Resolves when whoever looks for it finds it, or finds it no more. */
  listed(present: boolean): Promise<void>;
  stop(): Promise<void>;
}

const module = new URL('fixtures/placed.ts', import.meta.url);
const ground = { clock: systemClock, random: systemRandom, logger: nullLogger, meter: nullMeter, tracer: nullTracer };
const nobody: Resolver = {
  watch(_, update) {
    update({ instances: [], warming: false });
    return { close() {} };
  },
};

/** Places the fixture, as a process would whose `flotilla.yaml` says so. Calls in hand get 100 ms at its stop. */
export async function placed(placement: Placement, { copies = true } = {}): Promise<Placed> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-placement-'));
  const file = join(folder, 'flotilla.yaml');
  writeFileSync(file, `services:\n  stock:\n    run: ${module.pathname}\n    drainNoticeMs: 0\n`);
  const { network, connector } = fastNetwork(ground);
  const transport = rsocketTransport(connector, plainTransport({ ...ground, network }), ground);
  const shared = { registry: ['http://127.0.0.1:1'], zone: undefined, stateDir: join(folder, 'state'), drainMs: 100 };
  const runtime = { ...ground, network, health: createHealth() };
  const world = placement === 'remote' ? await elsewhere(file, shared, { ...runtime, fast: transport }) : undefined;
  const services = await placeServices(
    { stock: placement },
    {
      runtime,
      discovery: { resolver: world?.resolver ?? nobody, registrar: noRegistrar, close: async () => {} },
      transport,
      files: [file],
      shared,
      given: { args: [], env: {} },
      log: { level: 'error', format: 'json' },
      copies,
    },
  );
  const running = await startAll(services.components, nullLogger);
  const own = { ...ground, network: services.network, resolver: services.resolver, fast: services.transport };
  const connected = connectClient(stock, {}, own);
  let left = 3;
  const progress = () => ({ go: left-- > 0 });
  const serving = connectClient(stock, { serves: [bind(events, { progress, upload: () => new Uint8Array(3) })] }, own);
  const fetching = createLazyFetch();
  fetching.connect(own);
  return {
    client: connected.client,
    serving: serving.client,
    fetch: fetching.fetch,
    listed: (present) => heard(services.resolver, ({ instances }) => instances.length > 0 === present),
    async stop() {
      await running.stop('the test is over');
      await world?.stop();
      await Promise.all([connected.close(), serving.close(), fetching.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Shared = Parameters<typeof placeServices>[1]['shared'];
type Runtime = Omit<Parameters<typeof startService>[2], 'discovery' | 'bindOf' | 'advertise'>;

/** A process of its own would be the same, but for its address space. */
async function elsewhere(file: string, shared: Shared, runtime: Runtime) {
  const source = { name: 'stock', module: module.href, files: [file], shared, args: [], env: {}, inProcess: [] };
  const found = await loadPlaced(source);
  const config = await openPlacedConfig(found, source, { ...ground, outdated() {} });
  const { app } = found;
  let set: InstanceSet = { instances: [], warming: false };
  const updates = new Set<(set: InstanceSet) => void>();
  const say = (now: InstanceSet): void => {
    set = now;
    for (const update of updates) update(now);
  };
  const registrar: Registrar = {
    register(instance) {
      say({ instances: [instance], warming: false });
      return {
        announced: Promise.resolve(),
        setStatus: async () => {},
        setWeight: async () => {},
        noticed: async () => true,
        deregister: async () => say({ instances: [], warming: false }),
      };
    },
  };
  const resolver: Resolver = {
    watch(_, update) {
      updates.add(update);
      update(set);
      return { close: () => void updates.delete(update) };
    },
  };
  const service = await startService(app, config.now, {
    ...runtime,
    bindOf: (host, port) => ({ host, port }),
    advertise: (host) => ({ host, reason: 'a test' }),
    discovery: { resolver: nobody, registrar, close: async () => {} },
  });
  return {
    resolver,
    async stop() {
      await config.close();
      await service.stop('the test is over');
    },
  };
}

const noRegistrar: Registrar = {
  register() {
    throw new Error('what is placed here is registered nowhere else');
  },
};

function heard(resolver: Resolver, fits: (set: InstanceSet) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const watch = resolver.watch({ service: 'stock' }, (set) => {
      if (!fits(set)) return;
      resolve();
      queueMicrotask(() => watch.close());
    });
  });
}
