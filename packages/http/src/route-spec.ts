import { FlotillaError } from '@flotilla/core';
import { isFieldName, isFieldValue, isToken } from './field-grammar.ts';
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import { type PathPattern, parsePattern } from './pattern.ts';

/** Which requests a route takes. Every condition that is given has to hold. */
export interface RouteSpec<T> {
  /** A pattern as in `parsePattern`: `/products/{id}`. */
  readonly path: string;
  /** Upper-case. Absent: every method. A route for GET answers HEAD too, unless an equally exact one names HEAD. */
  readonly methods?: readonly string[];
  /** `shop.example`, or `*.example` for whatever is below it; without port. Absent: every host. */
  readonly hosts?: readonly string[];
  /** Name → exact value, or `*` for any. Repeated fields count as one, joined by `, `. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Name → exact decoded value, or `*` for any. A name that is repeated has to have that value each time. */
  readonly query?: Readonly<Record<string, string>>;
  /** Higher ones are asked first, before everything else. Default 0. */
  readonly priority?: number;
  /** What a match gives. */
  readonly value: T;
}

/** Names with the value that each must have; undefined: any value. */
export type Predicates = readonly (readonly [name: string, value: string | undefined])[];

/** A {@link RouteSpec} that has been read: every mistake in it was found. */
export interface ReadRoute<T> {
  readonly index: number;
  readonly pattern: PathPattern;
  readonly methods: ReadonlySet<string> | undefined;
  readonly hosts: readonly HostPattern[];
  readonly headers: Predicates;
  readonly query: Predicates;
  readonly priority: number;
  readonly value: T;
}

/** @throws FlotillaError CONFIG_INVALID naming the pattern and what is wrong with the route */
export function readRoute<T>(spec: RouteSpec<T>, index: number): ReadRoute<T> {
  return {
    index,
    pattern: parsePattern(spec.path),
    methods: spec.methods && readMethods(spec.path, spec.methods),
    hosts: readHosts(spec.path, spec.hosts),
    headers: readHeaders(spec.path, spec.headers ?? {}),
    query: Object.entries(spec.query ?? {}).map(([name, value]) => [name, anyOr(value)]),
    priority: readPriority(spec.path, spec.priority ?? 0),
    value: spec.value,
  };
}

function readMethods(path: string, methods: readonly string[]): ReadonlySet<string> {
  if (methods.length === 0) throw invalid(path, 'its list of methods is empty; leave it out for every method');
  for (const method of methods) {
    if (!isToken(method) || method !== method.toUpperCase()) {
      throw invalid(path, `"${method}" is not a method: write it in upper case, such as GET`);
    }
  }
  return new Set(methods);
}

function readHosts(path: string, hosts: readonly string[] | undefined): HostPattern[] {
  if (hosts === undefined) return [{ kind: 'every' }];
  if (hosts.length === 0) throw invalid(path, 'its list of hosts is empty; leave it out for every host');
  return [...new Set(hosts)].map((host) => {
    const pattern = parseHostPattern(host);
    if (!pattern) throw invalid(path, `"${host}" is not a host: write "shop.example" or "*.example", without a port`);
    return pattern;
  });
}

function readHeaders(path: string, headers: Readonly<Record<string, string>>): Predicates {
  const seen = new Set<string>();
  return Object.entries(headers).map(([written, value]) => {
    const name = written.toLowerCase();
    if (!isFieldName(name)) throw invalid(path, `"${written}" is not the name of a header field`);
    if (!isFieldValue(value)) throw invalid(path, `no header field "${name}" has the value ${JSON.stringify(value)}`);
    if (seen.has(name)) throw invalid(path, `it asks twice for the header field "${name}"`);
    seen.add(name);
    return [name, anyOr(value)];
  });
}

function readPriority(path: string, priority: number): number {
  if (!Number.isFinite(priority)) throw invalid(path, `its priority is not a number, but ${priority}`);
  return priority;
}

function anyOr(value: string): string | undefined {
  return value === '*' ? undefined : value;
}

function invalid(path: string, what: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `the route for "${path.slice(0, 200)}" cannot be used: ${what}`);
}
