import type { Logger } from '@flotilla/core';
import type { Issue } from './validate.ts';

/** Which operation of which trace a line is about. */
export interface Place {
  readonly operation: string;
  readonly traceId: string;
}

/** Every line that a server of contracts writes. */
export interface ServerLog {
  /** The caller got INTERNAL and learns nothing of the cause. */
  operationFailed(place: Place, why: string, cause: unknown): void;
  /** The handler broke the contract: the caller got INTERNAL. */
  outputInvalid(place: Place, issues: readonly Issue[]): void;
}

export function serverLog(logger: Logger): ServerLog {
  return {
    operationFailed: ({ operation, traceId }, why, cause) =>
      logger.error('operation failed in a way that its contract does not declare', { operation, traceId, why, cause }),
    outputInvalid: ({ operation, traceId }, issues) =>
      logger.error('output does not fit its schema', { operation, traceId, issues }),
  };
}
