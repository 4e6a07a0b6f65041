export { RedisServer, redisMissing } from './redis-server.ts';
export { passBy, passReally, type StoreUnderTest, storeContract } from './store-contract.ts';
