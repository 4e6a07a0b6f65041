import { type Clock, currentCall, type LogFields, type Logger, type LogLevel } from '@flotilla/core';
import { formatJson, formatPretty, type LogEntry, levelNumbers } from './format.ts';
import { printableFields } from './printable.ts';

/** How a process writes its logs. */
export interface LoggerOptions {
  /** The least level that is written; a function is asked for each line, so that the level can change. Default `info`. */
  readonly level?: LogLevel | (() => LogLevel);
  /** `json`: pino's shape, for machines. `pretty`: one line for a terminal. Default `json`. */
  readonly format?: 'json' | 'pretty';
  /** Colours in `pretty`. Default true; pass false where the output is no terminal. */
  readonly colors?: boolean;
  /** Takes each line, without a line end. What it throws is dropped: a log must not break the work. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  /** On each line. `service` gets its own column in `pretty`. */
  readonly fields?: LogFields;
}

/**
 * A logger whose lines carry `traceId` and `spanId` of the call that the code works for. Each field is bounded to
 * 2 000 characters and a line to 64 fields; control characters are escaped; secrets, by type and by name, are `***`;
 * `cause` becomes `err` with type, message and stack. It never throws.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level = 'info', format = 'json', colors = true, write, clock, fields = {} } = options;
  const { service, ...own } = fields;
  const sink: Sink = {
    least: typeof level === 'function' ? level : () => level,
    service: typeof service === 'string' ? service : '',
    format: format === 'json' ? formatJson : (entry) => formatPretty(entry, colors),
    write,
    clock,
  };
  return new LineLogger(sink, own);
}

interface Sink {
  readonly least: () => LogLevel;
  readonly service: string;
  readonly format: (entry: LogEntry) => string;
  readonly write: (line: string) => void;
  readonly clock: Clock;
}

class LineLogger implements Logger {
  readonly #sink: Sink;
  readonly #fields: LogFields;

  constructor(sink: Sink, fields: LogFields) {
    this.#sink = sink;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new LineLogger(this.#sink, together(this.#fields, fields));
  }

  #write(level: LogLevel, message: string, fields?: LogFields): void {
    const { least, service, format, write, clock } = this.#sink;
    if (levelNumbers[level] < levelNumbers[least()]) return;
    try {
      const line = together(traceFields(), this.#fields, fields);
      write(format({ level, time: clock.wallNow(), message, service, fields: printableFields(line) }));
    } catch {
      // Nowhere to say it: the sink itself failed.
    }
  }
}

/** Joined without reading: a getter that throws is read where that is caught. */
function together(...parts: (LogFields | undefined)[]): LogFields {
  const joined: Record<string, unknown> = Object.create(null);
  for (const part of parts) {
    if (part) Object.defineProperties(joined, enumerable(part));
  }
  return joined;
}

function enumerable(part: LogFields): PropertyDescriptorMap {
  const descriptors: PropertyDescriptorMap = Object.create(null);
  for (const name of Object.keys(part)) {
    const descriptor = Object.getOwnPropertyDescriptor(part, name);
    if (descriptor) descriptors[name] = { ...descriptor, configurable: true };
  }
  return descriptors;
}

function traceFields(): LogFields | undefined {
  const trace = currentCall()?.trace;
  return trace && { traceId: trace.traceId, spanId: trace.spanId };
}
