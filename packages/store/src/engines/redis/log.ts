import type { Logger } from '@flotilla/core';

/** Every line that a store in Redis writes. */
export interface RedisLog {
  /** There is no connection (any more); it is tried again. */
  away(error: Error): void;
  back(): void;
}

export function redisLog(logger: Logger, store: string): RedisLog {
  return {
    away: (error) => logger.warn('store cannot be reached; trying again', { store, cause: error }),
    back: () => logger.info('store is reached again', { store }),
  };
}
