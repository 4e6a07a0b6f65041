import type { InstanceSet, Logger, Target } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import type { HttpHandler } from '@flotilla/http';
import { type MemoryNetwork, memoryNetwork } from '@flotilla/http/memory';
import type { RegistryClientOptions } from '../client/options.ts';
import { type RegistryClient, registryClient } from '../client/registry-client.ts';
import { createRegistry, type Registry, type RegistryOptions } from '../server/registry.ts';
import { registryHandler } from '../server/routes.ts';
import type { RegistryUser } from '../server/users.ts';
import { type RecordedLine, recordingLogger } from './recording-logger.ts';

/** Registries and clients in one process, under a clock that a test moves. */
export class World {
  readonly clock: ManualClock = new ManualClock();
  readonly network: MemoryNetwork;
  readonly lines: RecordedLine[] = [];
  readonly logger: Logger = recordingLogger(this.lines);
  #seed = 1;
  readonly #stops: (() => Promise<unknown>)[] = [];

  constructor() {
    this.network = memoryNetwork({ clock: this.clock, random: seededRandom(99) });
  }

  /** A registry that listens at `host:8761`. */
  async registry(
    host: string,
    options: Partial<RegistryOptions> & {
      readonly users?: readonly RegistryUser[];
      /** Stands before the registry. */
      readonly wrap?: (handler: HttpHandler) => HttpHandler;
    } = {},
  ): Promise<{ registry: Registry; stop: () => Promise<void> }> {
    const { users, wrap = (handler) => handler, ...rest } = options;
    const registry = createRegistry({ clock: this.clock, random: seededRandom(this.#seed++), ...rest });
    await registry.start();
    const handler = wrap(registryHandler(registry, { users }));
    const listener = await this.network.listen({ host, port: 8761 }, handler);
    const stop = async (): Promise<void> => {
      await registry.stop('test');
      await Promise.all([listener.drain(0), this.clock.advance(0)]);
      await settle();
    };
    this.#stops.push(stop);
    return { registry, stop };
  }

  client(
    urls: readonly string[] = ['http://registry:8761'],
    options: Partial<RegistryClientOptions> = {},
  ): RegistryClient {
    const { clock, network } = this;
    const random = seededRandom(this.#seed++);
    const client = registryClient({ urls, network, clock, random, logger: recordingLogger(this.lines), ...options });
    this.#stops.unshift(() => client.close());
    return client;
  }

  /** Everything that a watch of the target is told, ids in their order. */
  watch(
    client: RegistryClient,
    target: Target,
  ): { sets: InstanceSet[]; ids: () => string[] | undefined; close: () => void } {
    const sets: InstanceSet[] = [];
    const watch = client.resolver.watch(target, (set) => sets.push(set));
    const ids = (): string[] | undefined =>
      sets
        .at(-1)
        ?.instances.map(({ id }) => id)
        .sort();
    return { sets, ids, close: () => watch.close() };
  }

  /** Messages of that level, or of all. */
  messages(level?: RecordedLine['level']): string[] {
    return this.lines.filter((line) => !level || line.level === level).map(({ message }) => message);
  }

  async end(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }
}
