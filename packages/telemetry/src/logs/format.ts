import { styleText } from 'node:util';
import type { LogLevel } from '@flotilla/core';

/** A line before it is written. */
export interface LogEntry {
  readonly level: LogLevel;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly message: string;
  /** The service that the logger was made for; empty for none. */
  readonly service: string;
  readonly fields: ReadonlyMap<string, unknown>;
}

/** pino's numbers for the levels. */
export const levelNumbers: Readonly<Record<LogLevel, number>> = Object.freeze({
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
});

/** One line of JSON in pino's shape. A field that is called like a part of the line gets a `_` behind its name. */
export function formatJson({ level, time, message, service, fields }: LogEntry): string {
  const line: Record<string, unknown> = Object.create(null);
  Object.assign(line, { level: levelNumbers[level], time, msg: message });
  if (service !== '') line['service'] = service;
  for (const [name, value] of fields) line[name in line ? `${name}_` : name] = value;
  return escapeControls(JSON.stringify(line));
}

const levelStyles = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;

/**
 * For a terminal: `12:00:00.000 INFO  catalog      lease evicted  overdueMs=5`. One line; the stack of an error comes
 * on lines below, at level `error` only. Nothing in it can move the cursor or change colours but our own styles.
 */
export function formatPretty({ level, time, message, service, fields }: LogEntry, colors: boolean): string {
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    colors ? styleText(format, text, { validateStream: false }) : text;
  const parts: string[] = [];
  let stack = '';
  for (const [name, value] of fields) {
    if (name === 'spanId') continue; // the trace id is enough for a reader
    parts.push(`${style('gray', `${word(name)}=`)}${word(name === 'err' ? errorWords(value) : value)}`);
    if (name === 'err' && level === 'error') stack = stackLines(value);
  }
  const head = [
    style('gray', timeOfDay(time)),
    style(levelStyles[level], level.toUpperCase().padEnd(5)),
    style('cyan', escapeControls(service).padEnd(12)),
    style('bold', escapeControls(message)),
  ].join(' ');
  return `${[head, ...parts].join(' ')}${style('gray', stack)}`;
}

/** Local time of day, to the millisecond. */
function timeOfDay(epochMs: number): string {
  const time = new Date(epochMs);
  const two = (part: number): string => String(part).padStart(2, '0');
  const millis = String(time.getMilliseconds()).padStart(3, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${millis}`;
}

/** A value as one word where it is one, else quoted or as JSON. */
function word(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@+*-]+$/.test(value)) return value;
  return escapeControls(JSON.stringify(value) ?? '');
}

function errorWords(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('message' in value)) return value;
  return `${'type' in value ? `${value.type}: ` : ''}${value.message}`;
}

function stackLines(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('stack' in value)) return '';
  const lines = String(value.stack)
    .split('\n')
    .filter((line) => line.startsWith('    at '));
  return lines.map((line) => `\n    ${escapeControls(line.trim())}`).join('');
}

/** Control characters (C0, DEL, C1), line separators and marks that reorder text, as `\\uXXXX`. */
function escapeControls(text: string): string {
  return text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// Built from ranges of numbers, so that this file itself holds none of these characters.
const unsafeRanges = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
] as const;
const escapedRanges = unsafeRanges.map((range) =>
  range.map((code) => `\\u${code.toString(16).padStart(4, '0')}`).join('-'),
);
const unsafe = new RegExp(`[${escapedRanges.join('')}]`, 'g');
