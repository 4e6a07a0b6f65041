/** Facts beside a constant message. Values are text, numbers, booleans, or JSON of them. */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Port for logs. `info`: a state changed; `warn`: an operator may act on it; `error`: a promise to a caller was
 * broken; `debug`: per request.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

/** Says nothing, so that nobody needs to check for a logger. */
export const nullLogger: Logger = Object.freeze({
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => nullLogger,
});
