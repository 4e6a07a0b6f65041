import type { Call, FlotillaError } from '@flotilla/core';

/** How long a part may take. */
export interface PartOptions {
  /**
   * Milliseconds for the part's own work, from when what it depends on is there. Default: the deadline of the whole.
   */
  readonly timeoutMs?: number;
}

/**
 * A piece of an answer, as a value: it does nothing until something gathers it. Within one `gather` it runs once, no
 * matter how many others depend on it.
 */
export interface Part<T> {
  readonly definition: PartDefinition;
  /** Never set: it only carries the type. */
  readonly type?: T;
}

/** What can stand for a part: a plain function is one without dependencies. */
export type PartLike<T> = Part<T> | ((call: Call) => T | PromiseLike<T>);

/** Parts by name. */
export type Parts = { readonly [name: string]: PartLike<unknown> };

/** The type of what a part gives. */
export type ValueOf<P> = P extends Part<infer T> ? T : P extends (call: Call) => infer R ? Awaited<R> : never;

/** What parts give, by the same names. */
export type Values<P> = { [Name in keyof P]: ValueOf<P[Name]> };

/** What `gather` sees of a part. */
export type PartDefinition =
  | {
      readonly kind: 'work';
      readonly needs: Parts;
      readonly run: (call: Call, values: never) => unknown;
      readonly timeoutMs: number | undefined;
    }
  | {
      readonly kind: 'optional';
      readonly inner: PartLike<unknown>;
      readonly fallback: (error: FlotillaError) => unknown;
      readonly timeoutMs: number | undefined;
    };

/**
 * A part without dependencies, as a value that others may depend on.
 * @throws RangeError
 */
export function part<R>(run: (call: Call) => R, options?: PartOptions): Part<Awaited<R>>;
/**
 * A part that needs others: it starts as soon as they are there, and is given what they gave. A cycle cannot be written,
 * because a part has to exist before another one can need it.
 *
 * ```ts
 * const product = part((c) => catalog.product({ id }, c));
 * const related = part({ product }, (c, { product }) => catalog.related({ category: product.category }, c));
 * ```
 * @throws RangeError
 */
export function part<const P extends Parts, R>(
  needs: P,
  run: (call: Call, values: Values<P>) => R,
  options?: PartOptions,
): Part<Awaited<R>>;
export function part(
  first: Parts | ((call: Call) => unknown),
  second?: PartOptions | ((call: Call, values: never) => unknown),
  third?: PartOptions,
): Part<unknown> {
  if (typeof first === 'function') return work({}, first, second as PartOptions | undefined);
  return work(first, second as (call: Call, values: never) => unknown, third);
}

/**
 * A part that the whole can do without: when it fails or is late, `fallback` stands in for it, and `missing` tells. When
 * it is late and nobody else needs its work, that is cancelled.
 * @param fallback a value, or a function of the error that makes one.
 * @throws RangeError
 */
export function optional<T>(
  of: PartLike<T>,
  fallback: NoInfer<T> | ((error: FlotillaError) => NoInfer<T>),
  options?: PartOptions,
): Part<T>;
export function optional<T, F>(
  of: PartLike<T>,
  fallback: F | ((error: FlotillaError) => F),
  options?: PartOptions,
): Part<T | F>;
export function optional(of: PartLike<unknown>, fallback: unknown, options: PartOptions = {}): Part<unknown> {
  const make = typeof fallback === 'function' ? (fallback as (error: FlotillaError) => unknown) : () => fallback;
  return { definition: { kind: 'optional', inner: of, fallback: make, timeoutMs: checked(options) } };
}

/**
 * The definition of what stands for a part.
 * @throws TypeError naming the part that is none.
 */
export function definitionOf(like: PartLike<unknown>, name: string): PartDefinition {
  if (typeof like === 'function') return { kind: 'work', needs: {}, run: like, timeoutMs: undefined };
  const { definition } = Object(like) as Partial<Part<unknown>>;
  if (!definition)
    throw new TypeError(`part "${name}" is neither a function of the call nor made by part() or optional()`);
  return definition;
}

function work(needs: Parts, run: (call: Call, values: never) => unknown, options: PartOptions = {}): Part<unknown> {
  return { definition: { kind: 'work', needs, run, timeoutMs: checked(options) } };
}

function checked({ timeoutMs }: PartOptions): number | undefined {
  if (timeoutMs === undefined || timeoutMs > 0) return timeoutMs;
  throw new RangeError(`timeoutMs must be greater than 0, got ${timeoutMs}`);
}
