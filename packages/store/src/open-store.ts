import type { Clock, Logger, Random, Store } from '@flotilla/core';
import { createMemoryStore } from './engines/memory.ts';

/** What {@link openStore} is told besides the URL. */
export interface OpenStoreOptions {
  /** Stands before every key of an engine that others use too. Default `flotilla:`. */
  readonly prefix?: string;
  /** For TLS, as Node has them. */
  readonly tls?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** What a URL of a store may begin with. */
export const storeSchemes: readonly string[] = Object.freeze(['memory:', 'redis:', 'rediss:']);

/**
 * Opens the store that a URL names; its engine is loaded only then.
 *
 * | URL | engine |
 * |---|---|
 * | `memory:` | this process; nothing is shared |
 * | `redis://user:password@host:6379/0`, `rediss://…` | Redis |
 *
 * Resolves also when the engine cannot be reached yet: it goes on trying.
 * @throws RangeError for another URL
 * @throws FlotillaError PACKAGE_MISSING
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  const scheme = url.slice(0, url.indexOf(':') + 1);
  if (scheme === 'memory:') return createMemoryStore(options);
  if (scheme !== 'redis:' && scheme !== 'rediss:') {
    throw new RangeError(`a store is named by a URL that begins with ${storeSchemes.join(', ')}; got "${scheme}"`);
  }
  const { createRedisStore } = await import('./engines/redis/index.ts');
  const store = createRedisStore({ ...options, url });
  await store.start();
  return store;
}
