import { ManualClock } from '@flotilla/core/testing';
import { passBy, passReally, RedisServer, redisMissing, type StoreUnderTest, storeContract } from '../testing/index.ts';
import { createMemoryStore } from './memory.ts';
import { createRedisStore } from './redis/index.ts';

async function memory(): Promise<StoreUnderTest> {
  const clock = new ManualClock();
  const spaces = new Map<string, ReturnType<typeof createMemoryStore>>();
  return {
    async open(space) {
      const store = spaces.get(space) ?? createMemoryStore({ clock });
      spaces.set(space, store);
      return store;
    },
    pass: passBy(clock),
    async end() {},
  };
}

async function redis(): Promise<StoreUnderTest> {
  const server = await RedisServer.start();
  return {
    async open(space) {
      // Not about time-outs: a machine may be busy.
      const store = createRedisStore({ url: server.url, prefix: `${space}:`, timeoutMs: 10_000 });
      await store.start();
      return store;
    },
    pass: passReally(),
    end: () => server.end(),
  };
}

storeContract('memory', memory);
storeContract('Redis', redis, redisMissing());
