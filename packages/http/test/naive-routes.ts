import type { RouteSpec } from '../src/route-spec.ts';
import type { RoutedRequest } from '../src/routes.ts';

type Naive = { value: number } | { kind: 'method'; allow: string[] } | { kind: 'none' };

/**
 * What `compileRoutes` promises, said again without any structure: every route is looked at, and of those that take the
 * request the greatest by a list of numbers wins.
 */
export function naiveMatch(specs: readonly RouteSpec<number>[], request: RoutedRequest): Naive {
  let best: { value: number; weights: number[] } | undefined;
  const allow = new Set<string>();
  for (const spec of specs) {
    const host = Math.max(...(spec.hosts ?? ['']).map((pattern) => hostWeight(pattern, request.authority)));
    if (host < 0 || !pathRegExp(spec.path).test(request.path.text)) continue;
    if (!hasAll(spec.headers, (name) => request.headers.getAll(name).join(', ') || undefined)) continue;
    if (!hasAll(spec.query, (name) => onlyValue(request.query, name))) continue;
    const method = methodWeight(spec.methods, request.method);
    if (method < 0) for (const one of spec.methods ?? []) allow.add(one);
    if (method < 0 && spec.methods?.includes('GET')) allow.add('HEAD');
    if (method < 0) continue;
    const counts = [Object.keys(spec.headers ?? {}).length, Object.keys(spec.query ?? {}).length];
    const weights = [spec.priority ?? 0, host, ...pathWeights(spec.path), method, ...counts];
    if (!best || greater(weights, best.weights)) best = { value: spec.value, weights };
  }
  if (best) return { value: best.value };
  return allow.size > 0 ? { kind: 'method', allow: [...allow].sort() } : { kind: 'none' };
}

function hostWeight(pattern: string, authority: string): number {
  const host = authority.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
  if (pattern === '') return 0;
  if (!pattern.startsWith('*')) return pattern === host ? 1_000 : -1;
  return host.endsWith(pattern.slice(1)) ? pattern.length : -1;
}

/** Only for the plain patterns and paths of the tests: nothing in them has to be escaped. */
function pathRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/\/\*\*$/, '(/.*)?')
    .replace(/\{\*\w+\}$/, '.+')
    .replace(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${source === '(/.*)?' ? '/.*' : source}$`);
}

/** One number for each of the first ten segments: what is written there, or the end, takes less the greater it is. */
function pathWeights(pattern: string): number[] {
  return Array.from({ length: 10 }, (_, index) => {
    const piece = pattern.split('/')[index + 1] ?? '';
    if (piece === '**') return 0;
    if (piece.startsWith('{*')) return 1;
    return piece.startsWith('{') ? 2 : 3;
  });
}

function methodWeight(methods: readonly string[] | undefined, method: string): number {
  if (!methods) return 0;
  if (methods.includes(method)) return 2;
  return method === 'HEAD' && methods.includes('GET') ? 1 : -1;
}

function hasAll(wanted: Readonly<Record<string, string>> = {}, read: (name: string) => string | undefined): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const there = read(name);
    return there !== undefined && (value === '*' || value === there);
  });
}

/** The value when all of that name are equal; a text that no test asks for when they differ. */
function onlyValue(query: string, name: string): string | undefined {
  const values = new Set(new URLSearchParams(query).getAll(name));
  return values.size > 1 ? 'several' : [...values][0];
}

function greater(a: readonly number[], b: readonly number[]): boolean {
  for (const [index, weight] of a.entries()) {
    const difference = weight - (b[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
