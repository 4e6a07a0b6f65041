import type { InputOf, OutputOf, Schema } from './schema.ts';

/** What goes over the wire. Absent members may be `undefined` here: they are left out. */
export type Json = JsonScalar | readonly Json[] | { readonly [key: string]: Json | undefined };

type JsonScalar = null | boolean | number | string;

/**
 * Holds for a schema whose input and output are one JSON type, and for nothing else; the text is what the compiler
 * shows. The server parses and strips what a handler returns, and the client does not parse again: with a
 * transformation in between, the two would mean different things.
 */
export type JsonOutput<S extends Schema> = [InputOf<S>] extends [OutputOf<S>]
  ? [OutputOf<S>] extends [InputOf<S>]
    ? [OutputOf<S>] extends [Json]
      ? unknown
      : undefined extends OutputOf<S>
        ? NoJson
        : IsJson<OutputOf<S>> extends true
          ? unknown
          : NoJson
    : Transforms
  : Transforms;

type NoJson = 'an output schema must be JSON: no undefined, dates, bigints, maps, sets, functions or unknown';
type Transforms = 'an output schema must give what it takes: no transformations, defaults, coercions or brands';

// Plain object types are decided by the first line, which instantiates nothing. Interfaces have no implicit index
// signature, so they alone are looked at member by member.
type IsJson<T> = [T] extends [Json | undefined] ? true : false extends MemberIsJson<T> ? false : true;

type MemberIsJson<T> = T extends JsonScalar | undefined
  ? true
  : T extends readonly (infer Item)[]
    ? IsJson<Item>
    : T extends NotJson
      ? false
      : T extends object
        ? { [K in keyof T]-?: IsJson<T[K]> }[keyof T]
        : false;

type NotJson =
  | Date
  | RegExp
  | Uint8Array
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...args: never) => unknown);
