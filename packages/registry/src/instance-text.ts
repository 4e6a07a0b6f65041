import type { Instance } from '@flotilla/core';

const texts = new WeakMap<Instance, string>();

/** An instance as JSON. Written once per instance object: snapshots, changes and saves of all watchers share the text. */
export function instanceText(instance: Instance): string {
  const known = texts.get(instance);
  if (known !== undefined) return known;
  const text = JSON.stringify(instance);
  texts.set(instance, text);
  return text;
}
