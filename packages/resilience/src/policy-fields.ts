import { nearest } from '@flotilla/core';

/**
 * One number, switch or choice of a policy: what code may give, what configuration may write, and what it means. The
 * schema of the configuration is made from the same fields, so both refuse the same values.
 */
export type PolicyField =
  | {
      readonly kind: 'integer' | 'number';
      /** What configuration may write; code may give `Infinity` too where {@link orInfinity} says so. */
      readonly min: number;
      readonly max: number;
      /** `Infinity` switches the bound off. Only code can say it: configuration switches a whole policy off. */
      readonly orInfinity: boolean;
      readonly describe: string;
      /** For messages: `from 0 to 1`. */
      readonly text: string;
    }
  | { readonly kind: 'flag'; readonly describe: string; readonly text: string }
  | { readonly kind: 'oneOf'; readonly choices: readonly string[]; readonly describe: string; readonly text: string };

/** A field for each name. */
export type PolicyFields<T> = { readonly [Name in keyof T]: PolicyField };

/** Values as they are written by hand: any of them, possibly undefined. */
export type Given<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** A whole number of milliseconds; by default above 0 and at most a day. */
export function milliseconds(
  describe: string,
  range: { readonly min?: number; readonly max?: number } = {},
): PolicyField {
  const { min = 1, max = 86_400_000 } = range;
  return { kind: 'number', min, max, orInfinity: false, describe, text: `from ${min} to ${max}` };
}

/** A whole number. */
export function whole(
  describe: string,
  { min, max, orInfinity = false }: { readonly min: number; readonly max: number; readonly orInfinity?: boolean },
): PolicyField {
  const text = `a whole number from ${min} to ${max}${orInfinity ? ', or Infinity' : ''}`;
  return { kind: 'integer', min, max, orInfinity, describe, text };
}

/** Any number within a range. */
export function amount(
  describe: string,
  { min, max, orInfinity = false }: { readonly min: number; readonly max: number; readonly orInfinity?: boolean },
): PolicyField {
  const text = `from ${min} to ${max}${orInfinity ? ', or Infinity' : ''}`;
  return { kind: 'number', min, max, orInfinity, describe, text };
}

/** A share, from 0 to 1. */
export function fraction(describe: string): PolicyField {
  return { kind: 'number', min: 0, max: 1, orInfinity: false, describe, text: 'from 0 to 1' };
}

export function flag(describe: string): PolicyField {
  return { kind: 'flag', describe, text: 'true or false' };
}

export function choice(choices: readonly string[], describe: string): PolicyField {
  return { kind: 'oneOf', choices, describe, text: `one of ${choices.map((each) => `"${each}"`).join(', ')}` };
}

/**
 * Fills in the defaults and checks every value. An explicit `undefined` counts as absent.
 * @param at names the group in messages: `breaker.`; all that is given then belongs to it
 * @throws RangeError naming the first field that does not fit, and what would.
 */
export function resolveFields<T extends object>(
  fields: PolicyFields<T>,
  defaults: T,
  given: Given<T> = {},
  at = '',
): Readonly<T> {
  if (at !== '') assertMembers(fields, given, at);
  const resolved = { ...defaults };
  for (const name of Object.keys(fields) as (keyof T & string)[]) {
    const value = given[name] ?? defaults[name];
    if (!fits(fields[name], value)) {
      throw new RangeError(`${at}${name} must be ${fields[name].text}, got ${shown(value)}`);
    }
    resolved[name] = value;
  }
  return Object.freeze(resolved);
}

function assertMembers(fields: object, given: unknown, at: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new RangeError(`${at.slice(0, -1)} must be an object of settings, got ${shown(given)}`);
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, Object.keys(fields));
  throw new RangeError(`${at}${unknown} is no setting${meant === undefined ? '' : `; did you mean "${meant}"?`}`);
}

/** A text looks like one, so that "5" is not taken for 5. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : Array.isArray(value) ? 'a list' : String(value);
}

function fits(field: PolicyField, value: unknown): boolean {
  if (field.kind === 'flag') return typeof value === 'boolean';
  if (field.kind === 'oneOf') return field.choices.includes(value as string);
  if (typeof value !== 'number') return false;
  if (value === Infinity) return field.orInfinity;
  return value >= field.min && value <= field.max && (field.kind === 'number' || Number.isInteger(value));
}
