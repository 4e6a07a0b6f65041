import { currentCall, type LogFields, type Logger, type LogLevel } from '@flotilla/core';
import { printableFields } from './printable.ts';

/** As much of a pino logger as is used here. */
export interface PinoLike {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(bindings: object): PinoLike;
}

/**
 * Writes to a pino logger that the application already has: its transports, its level, its redaction. Fields are
 * bounded and masked as by `createLogger`; `traceId` and `spanId` are added.
 */
export function fromPino(pino: PinoLike): Logger {
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    try {
      pino[level](Object.fromEntries(printableFields({ ...traceFields(), ...fields })), message);
    } catch {
      // A log must not break the work.
    }
  };
  return Object.freeze({
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields: LogFields) => fromPino(pino.child(Object.fromEntries(printableFields(fields)))),
  });
}

function traceFields(): LogFields | undefined {
  const trace = currentCall()?.trace;
  return trace && { traceId: trace.traceId, spanId: trace.spanId };
}
