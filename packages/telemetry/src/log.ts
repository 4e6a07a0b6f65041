import type { FlotillaError, Logger } from '@flotilla/core';

/** Every line that this package emits. */
export interface TelemetryLog {
  callEnded(kind: string, operation: string, code: string, durationMs: number): void;
  handlerFailed(operation: string, error: FlotillaError): void;
  managementDenied(code: string, method: string, path: string, peer: string): void;
  managementFailed(path: string, cause: unknown): void;
}

export function telemetryLog(logger: Logger): TelemetryLog {
  return {
    callEnded: (kind, operation, code, durationMs) => logger.debug('call ended', { kind, operation, code, durationMs }),
    handlerFailed: (operation, error) => logger.error('handler failed', { operation, cause: error.cause ?? error }),
    managementDenied: (code, method, path, peer) =>
      logger.warn('management request denied', { code, method, path, peer }),
    managementFailed: (path, cause) => logger.error('management request failed', { path, cause }),
  };
}
