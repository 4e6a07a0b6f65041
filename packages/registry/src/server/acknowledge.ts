import type { HttpResponse } from '@flotilla/http';
import type { InstanceKey } from '../lease/lease-table.ts';
import type { Registry } from './registry.ts';

/** The field of an answer to a change that the node took in and its engine, which is away, does not have yet. */
export const unsyncedField: readonly ['flotilla-engine', 'unsynced'] = Object.freeze([
  'flotilla-engine',
  'unsynced',
] as const);

/**
 * The answer to who changed an instance, once that survives a crash. Where it does not, since the engine that the nodes
 * share is away, the answer says so: {@link unsyncedField}.
 * @param answer made when it is acknowledged.
 * @throws FlotillaError UNAVAILABLE when the engine does not take it in time: nothing is acknowledged, say it again
 */
export async function acknowledge(
  registry: Registry,
  key: InstanceKey,
  answer: () => HttpResponse,
): Promise<HttpResponse> {
  await registry.settled(key);
  const response = answer();
  if (registry.isUnsynced(key)) response.headers.set(...unsyncedField);
  return response;
}
