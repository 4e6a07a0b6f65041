export type { Store, StoreChange, StoreCount, StoreStep, StoreSwap } from '@flotilla/core';
export { type StoreLimits, storeLimits } from './limits.ts';
export { type OpenStoreOptions, openStore, storeSchemes } from './open-store.ts';
