import type { Instance, Json } from '@flotilla/core';

/** A dialect's bag, or an empty one: a bag may come from a stranger's registration and hold anything. */
export function bagOf({ bags }: Instance, name: string): { readonly [member: string]: Json } {
  const bag = Object.hasOwn(bags, name) ? bags[name] : undefined;
  return typeof bag === 'object' && bag !== null && !Array.isArray(bag) ? (bag as { [member: string]: Json }) : {};
}

/** Text from a bag that fits, else the usual one. */
export function textOr(value: Json | undefined, usual: string, fits: (text: string) => boolean = () => true): string {
  return typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{0,1024}$/u.test(value) && fits(value) ? value : usual;
}

/** A whole number from a bag, from 0 to `limit`; else undefined. */
export function countOf(value: Json | undefined, limit: number = Number.MAX_SAFE_INTEGER): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= limit ? value : undefined;
}

/** The instance with its bag, or without one when there is nothing to keep. */
export function withBag(
  instance: Instance,
  name: string,
  members: { readonly [member: string]: Json | undefined },
): Instance {
  const kept = Object.entries(members).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return kept.length === 0 ? instance : { ...instance, bags: { [name]: Object.fromEntries(kept) } };
}

/** An object from pairs, for a bag; undefined when there are none. */
export function objectOrNothing(entries: readonly (readonly [string, Json])[]): Json | undefined {
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** `true`, or nothing. */
export function flag(value: boolean): true | undefined {
  return value || undefined;
}
