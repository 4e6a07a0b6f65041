/** What is shown as it is or not at all. */
type Leaf = string | number | boolean | bigint | symbol | null | undefined | Date | Uint8Array;

/**
 * Which fields of a `T` are shown: `true` for all of it, else its fields by name. The shape of a list is the shape of its
 * elements, or {@link limit} of it; of a list of lists it is `true` or `limit`. A text can be cut by {@link shorten}.
 */
export type Shape<T> = true | ShapeWithin<NonNullable<T>>;

type ShapeWithin<T> = T extends string
  ? Shortened
  : T extends Leaf
    ? never
    : T extends readonly (infer E)[]
      ? Fields<NonNullable<E>> | Limited<Shape<E>>
      : Fields<T>;

// Not for lists within lists: looking through any number of them would never end for a type such as JSON's.
type Fields<T> = T extends Leaf | readonly unknown[] ? never : { readonly [K in keyof T]?: Shape<T[K]> };

/** `unknown` when each field that `S` names is one of `T`; else a type in which that field is `never`. */
export type KnownFields<T, S> = S extends true | Shortened
  ? unknown
  : S extends Limited<infer Inner>
    ? T extends readonly (infer E)[]
      ? LimitedFields<KnownFields<NonNullable<E>, Inner>>
      : unknown
    : T extends readonly (infer E)[]
      ? KnownFields<NonNullable<E>, S>
      : { readonly [K in keyof S]: K extends keyof T ? KnownFields<NonNullable<T[K]>, S[K]> : never };

type LimitedFields<Fields> = { readonly shape: Fields };

/** What is left of a `T`. */
export type Trimmed<T, S> = S extends true
  ? T
  : T extends Leaf
    ? T
    : T extends readonly (infer E)[]
      ? S extends Limited<infer Inner>
        ? Trimmed<E, Inner>[]
        : Trimmed<E, S>[]
      : { [K in keyof T as K extends keyof S ? K : never]: Trimmed<T[K], S[K & keyof S]> };

/** The first elements of a list. */
export class Limited<S> {
  readonly count: number;
  readonly shape: S;

  constructor(count: number, shape: S) {
    this.count = count;
    this.shape = shape;
  }
}

/**
 * At most `count` elements of a list, each in `shape`; by default whole.
 * @throws RangeError
 */
export function limit(count: number): Limited<true>;
export function limit<const S>(count: number, shape: S): Limited<S>;
export function limit(count: number, shape: unknown = true): Limited<unknown> {
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(`count must be a whole number from 0 on, got ${count}`);
  return new Limited(count, shape);
}

/** A text of at most so many characters. */
export class Shortened {
  readonly maxLength: number;

  constructor(maxLength: number) {
    this.maxLength = maxLength;
  }
}

/**
 * A text of at most `maxLength` characters (UTF-16 units). One that is cut ends with `…`, after a whole word where one ends
 * in its second half.
 * @throws RangeError
 */
export function shorten(maxLength: number): Shortened {
  if (!Number.isInteger(maxLength) || maxLength < 1)
    throw new RangeError(`maxLength must be a whole number from 1 on, got ${maxLength}`);
  return new Shortened(maxLength);
}

/**
 * The fields of `value` that `shape` names, and nothing else: what is added to a backend's answer later does not leak. A
 * new object; parts whose shape is `true` are shared with `value`. Only own fields are read, `__proto__` never.
 *
 * ```ts
 * trim(page, { product: { id: true, name: true }, reviews: limit(3, { rating: true }) });
 * ```
 */
export function trim<T, const S extends Shape<T>>(value: T, shape: S & KnownFields<NonNullable<T>, S>): Trimmed<T, S> {
  return trimValue(value, shape) as Trimmed<T, S>;
}

const unsafeFields: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

function trimValue(value: unknown, shape: unknown): unknown {
  if (shape instanceof Shortened) return typeof value === 'string' ? cut(value, shape.maxLength) : value;
  if (shape === true || typeof value !== 'object' || value === null) return value;
  if (shape instanceof Limited) {
    if (!Array.isArray(value)) return trimValue(value, shape.shape);
    return value.slice(0, shape.count).map((element) => trimValue(element, shape.shape));
  }
  if (Array.isArray(value)) return value.map((element) => trimValue(element, shape));
  return trimFields(value as Record<string, unknown>, shape as Record<string, unknown>);
}

function trimFields(value: Record<string, unknown>, shape: Record<string, unknown>): Record<string, unknown> {
  const trimmed: Record<string, unknown> = {};
  for (const name of Object.keys(shape)) {
    if (unsafeFields.has(name) || !Object.hasOwn(value, name)) continue;
    trimmed[name] = trimValue(value[name], shape[name]);
  }
  return trimmed;
}

function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const room = maxLength - 1;
  const blank = text.lastIndexOf(' ', room);
  const end = blank > room / 2 ? blank : room;
  return `${withoutHalf(text.slice(0, end)).replace(/[\s,;:]$/, '')}…`;
}

/** A character outside the basic plane is two units: half of one is none. */
function withoutHalf(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}
