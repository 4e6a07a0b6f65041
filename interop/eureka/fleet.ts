import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, nullLogger, systemClock, systemRandom } from '@flotilla/core';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { createGateway, outsideCalls, readRoutes } from '@flotilla/gateway';
import { routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { registryClient } from '@flotilla/registry/client';
import { createRegistry, type Registry, registryRoutes } from '@flotilla/registry/server';

/** Our registry and our gateway on real sockets, in this process. */
export interface OurFleet {
  readonly registry: Registry;
  /** Port of the registry. */
  readonly port: number;
  /** Where the gateway listens. */
  readonly door: string;
  /** Resolves with the first change of the registry, past or to come, that fits. */
  changed(fits: (words: string) => boolean): Promise<void>;
  /** Resolves when the gateway was told that a service has so many instances. */
  doorKnows(service: string, count: number): Promise<void>;
  stop(): Promise<void>;
}

/** @param routes the gateway's, as YAML. */
export async function startFleet(routes: string): Promise<OurFleet> {
  const needs = { clock: systemClock, random: systemRandom };
  const seen: string[] = [];
  const news = new EventEmitter();
  const note: Logger['info'] = (message, fields) => {
    seen.push(`${message} ${fields?.['service']} ${fields?.['status'] ?? ''}`);
    news.emit('change');
  };
  const registry = createRegistry({ ...needs, logger: { ...nullLogger, info: note } });
  await registry.start();
  const network = nodeNetwork(needs);
  const loopback = { host: '127.0.0.1', port: 0 };
  const listener = await network.listen(
    loopback,
    routesHandler([...registryRoutes(registry), ...eurekaRoutes(registry)]),
  );
  const client = registryClient({ urls: [`http://127.0.0.1:${listener.port}`], network, ...needs });
  const outside = nodeNetwork({ ...needs, makeCall: outsideCalls(needs) });
  const gateway = createGateway({ ...needs, network, resolver: client.resolver, accessLog: false });
  gateway.apply(readRoutes(routes, 'routes.yaml'));
  const door = await outside.listen(loopback, gateway.handler);
  return {
    registry,
    port: listener.port,
    door: `http://127.0.0.1:${door.port}`,
    async changed(fits) {
      while (!seen.some(fits)) await once(news, 'change');
    },
    async doorKnows(service, count) {
      const known = Promise.withResolvers<void>();
      const watch = client.resolver.watch({ service }, ({ instances }) => {
        if (instances.length === count) known.resolve();
      });
      await known.promise;
      watch.close();
    },
    async stop() {
      await door.drain(1_000);
      await gateway.close();
      await client.close();
      await Promise.all([registry.stop('test'), listener.drain(1_000)]);
    },
  };
}

/** `examples/hello` as a process of its own; it registers by itself. `leave` is a SIGTERM, and resolves when it has ended. */
export async function startHello(registryPort: number): Promise<{ leave(): Promise<number | null> }> {
  const stateDir = await mkdtemp(join(tmpdir(), 'flotilla-hello-'));
  const program = join(import.meta.dirname, '../../examples/hello/hello.ts');
  const child = spawn(process.execPath, ['--conditions=flotilla-source', program, '--port=0'], {
    env: {
      ...process.env,
      FLOTILLA_REGISTRY: `http://127.0.0.1:${registryPort}`,
      FLOTILLA_STATE_DIR: stateDir,
      FLOTILLA_DRAIN_NOTICE_MS: '0',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: stateDir,
  });
  const ended = once(child, 'exit');
  let leaving: Promise<number | null> | undefined;
  const leave = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const [code] = await ended;
    await rm(stateDir, { recursive: true });
    return code;
  };
  return {
    leave() {
      leaving ??= leave();
      return leaving;
    },
  };
}
