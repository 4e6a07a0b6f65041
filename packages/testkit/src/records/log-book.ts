import type { LogFields, Logger, LogLevel } from '@flotilla/core';
import { Kept } from './kept.ts';

/** One line that a party logged. */
export interface LogLine {
  readonly party: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
  /** Instant on the fleet's clock. */
  readonly at: number;
}

/** Which lines are wanted; what is left out matches all. */
export interface LogQuery {
  /** A copy (`web.2`), or a service for all of its copies. */
  readonly party?: string;
  readonly level?: LogLevel;
  /** The message, or a part of it as an expression. */
  readonly message?: string | RegExp;
}

/** What was logged, oldest first. The last 100,000 lines are kept. */
export class LogBook {
  readonly #lines = new Kept<LogLine>();

  lines(query: LogQuery = {}): readonly LogLine[] {
    return this.#lines.all().filter((line) => matches(line, query));
  }

  /** Each as one line of text, for the message of an assertion. */
  text(query: LogQuery = {}): string {
    return this.lines(query)
      .map(({ at, party, level, message, fields }) => `${at} ${party} ${level} ${message} ${JSON.stringify(fields)}`)
      .join('\n');
  }

  /** @param alive lines of a party that was killed are not heard any more. */
  logger(party: string, now: () => number, alive: () => boolean, always: LogFields = {}): Logger {
    const write =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void => {
        if (alive()) this.#lines.add({ party, level, message, fields: { ...always, ...fields }, at: now() });
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (fields) => this.logger(party, now, alive, { ...always, ...fields }),
    };
  }
}

function matches(line: LogLine, { party, level, message }: LogQuery): boolean {
  if (party !== undefined && !isOf(line.party, party)) return false;
  if (level !== undefined && line.level !== level) return false;
  if (message === undefined) return true;
  return typeof message === 'string' ? line.message === message : message.test(line.message);
}

/** `web.2` is of `web.2` and of `web`. */
export function isOf(party: string, wanted: string): boolean {
  return party === wanted || (party.startsWith(`${wanted}.`) && /^[0-9]+$/.test(party.slice(wanted.length + 1)));
}
