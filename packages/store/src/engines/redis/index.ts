export type { RedisClient } from './client.ts';
export { createRedisStore, type RedisStore, type RedisStoreOptions, redisStoreDefaults } from './redis-store.ts';
