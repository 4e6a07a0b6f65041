import { longestTimeoutMs } from './context-rules.ts';
import type { HttpHeaders } from './headers.ts';

/** gRPC over HTTP/2, `TimeoutUnit` → milliseconds. */
const unitMs: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1_000],
  ['m', 1],
  ['u', 1e-3],
  ['n', 1e-6],
]);

/**
 * How long the sender still waits for the answer, in milliseconds: `flotilla-timeout-ms`, else `grpc-timeout`, else
 * `connect-timeout-ms`. A field that is repeated or not well formed counts as absent.
 * @returns 0 to 24 h; undefined when no field says.
 */
export function readTimeoutMs(headers: HttpHeaders): number | undefined {
  const timeoutMs =
    parseMs(only(headers, 'flotilla-timeout-ms')) ??
    parseGrpcTimeout(only(headers, 'grpc-timeout')) ??
    parseMs(only(headers, 'connect-timeout-ms'));
  return timeoutMs === undefined ? undefined : Math.min(timeoutMs, longestTimeoutMs);
}

/**
 * Writes `flotilla-timeout-ms`. The fields of gRPC and Connect are rewritten where an earlier hop left them, so that
 * no hop after this one waits longer than we do; they are not added.
 * @param timeoutMs whole milliseconds, or `Infinity`: then no field stays.
 */
export function writeTimeoutMs(headers: HttpHeaders, timeoutMs: number): void {
  const text = timeoutMs === Infinity ? undefined : String(Math.min(timeoutMs, longestTimeoutMs));
  replace(headers, 'flotilla-timeout-ms', text);
  if (headers.has('grpc-timeout')) replace(headers, 'grpc-timeout', text && `${text}m`);
  if (headers.has('connect-timeout-ms')) replace(headers, 'connect-timeout-ms', text);
}

/** The value of a field that is there exactly once. */
export function only(headers: HttpHeaders, name: string): string | undefined {
  if (!headers.has(name)) return undefined; // most fields are absent from most requests: no array for those
  const values = headers.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

/** Sets a field, or removes it when it has no value. */
export function replace(headers: HttpHeaders, name: string, value: string | undefined): void {
  if (value === undefined) headers.delete(name);
  else headers.set(name, value);
}

/** Connect protocol, `Timeout`: at most ten digits. Ours is the same. */
function parseMs(field: string | undefined): number | undefined {
  return field !== undefined && /^[0-9]{1,10}$/.test(field) ? Number(field) : undefined;
}

/** gRPC over HTTP/2, `Timeout`: at most eight digits and a unit. */
function parseGrpcTimeout(field: string | undefined): number | undefined {
  const match = field === undefined ? null : /^([0-9]{1,8})([HMSmun])$/.exec(field);
  if (!match) return undefined;
  const [, digits = '', unit = ''] = match;
  return Number(digits) * (unitMs.get(unit) ?? Number.NaN);
}
