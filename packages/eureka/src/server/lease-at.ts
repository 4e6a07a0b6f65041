import { FlotillaError, formatIdentity } from '@flotilla/core';
import { queryParameter } from '@flotilla/http';
import type { InstanceKey, Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';

/** The lease that a path `apps/{app}/{id}` means. @throws FlotillaError NO_ROUTE */
export function leaseAt(registry: Registry, params: ReadonlyMap<string, string>): Lease {
  const [app, id] = [params.get('app') ?? '', params.get('id') ?? ''];
  const lease = registry.find(app, id);
  if (!lease) throw new FlotillaError('NO_ROUTE', `the application "${app.toUpperCase()}" has no instance "${id}"`);
  return lease;
}

/** How the registry names it. */
export function keyOf({ instance: { identity, id } }: Lease): InstanceKey {
  return { service: formatIdentity(identity), id };
}

/**
 * The query parameter `lastDirtyTimestamp`.
 * @throws FlotillaError INVALID_INPUT for one that is no number (a Java server: 500, in part after it did what was asked)
 */
export function dirtyTimestamp(query: string): number | undefined {
  const dirty = queryParameter(query, 'lastDirtyTimestamp');
  if (dirty === undefined) return undefined;
  if (/^[-+]?[0-9]{1,19}$/.test(dirty)) return Number(dirty);
  throw new FlotillaError(
    'INVALID_INPUT',
    `lastDirtyTimestamp must be epoch milliseconds, got "${dirty.slice(0, 40)}"`,
  );
}
