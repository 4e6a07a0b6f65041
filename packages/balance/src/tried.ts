import { type Attribute, attribute, type Call } from '@flotilla/core';

/**
 * Who failed in earlier attempts of a call, so that the next attempt goes to somebody else. Each cluster has a key of its
 * own: ids are unique within a service only.
 */
export type TriedKey = Attribute<Set<object>>;

export function triedKey(): TriedKey {
  return attribute('instances that were tried');
}

/**
 * Remembers a failure where the next attempt finds it. Attempts are calls that are marked by their number inside the call
 * that is retried: the nearest one around without a mark. Where all are marked, another process retries: it cannot see us.
 */
export function rememberTried(call: Call, key: TriedKey, member: object): void {
  let holder: Call | undefined = call;
  while (holder?.attempt !== undefined) holder = holder.parent;
  if (!holder) return;
  const tried = holder.get(key);
  if (tried) tried.add(member);
  else holder.set(key, new Set([member]));
}
