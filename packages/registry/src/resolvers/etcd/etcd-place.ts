import { FlotillaError, type Instance, type Place, within } from '@flotilla/core';
import type { EtcdClient } from '../../engines/etcd/client.ts';
import { grpcCode, notFound } from '../../engines/etcd/failures.ts';
import { keyOf } from './etcd-tree.ts';

/** etcd's own bounds are wider; these are those of a registration (renewals from 1 s, leases up to an hour). */
const [leastSeconds, mostSeconds] = [5, 3_600] as const;

/**
 * Keeps instances in etcd, each under a lease of its own. What hangs on somebody else's lease by now is not taken out: a
 * process that left does not end the one that came after it under the same id.
 */
export function etcdPlace(client: EtcdClient, prefix: string): Place {
  const leases = new Map<string, string>();

  const leaseFor = async (key: string, { lease }: Instance): Promise<string | undefined> => {
    if (!lease) return undefined;
    const known = leases.get(key);
    if (known !== undefined && (await client.keepAlive(known)) > 0) return known;
    const seconds = Math.ceil(lease.lastsMs / 1_000);
    const granted = await client.grantLease(Math.min(Math.max(seconds, leastSeconds), mostSeconds));
    leases.set(key, granted);
    return granted;
  };
  const put: Place['put'] = async (instance, call) => {
    const key = keyOf(prefix, instance);
    const { bags: _, ...said } = instance; // of dialects that nobody here reads
    try {
      await within(call, client.put(key, JSON.stringify(said), await within(call, leaseFor(key, instance))));
      return { kind: 'kept' };
    } catch (thrown) {
      if (grpcCode(thrown) === notFound) leases.delete(key); // it ended in between
      throw thrown;
    }
  };
  return {
    put,
    async renew(instance, call) {
      const key = keyOf(prefix, instance);
      const lease = leases.get(key);
      if (lease !== undefined && (await within(call, client.keepAlive(lease))) === 0) {
        leases.delete(key);
        return { kind: 'unknown' };
      }
      const { pairs } = await within(call, client.range({ key, keysOnly: true }));
      const isOurs = pairs[0] !== undefined && (lease === undefined || sameLease(pairs[0].lease, lease));
      return { kind: isOurs ? 'kept' : 'unknown' };
    },
    async remove(instance, call) {
      const key = keyOf(prefix, instance);
      const lease = leases.get(key);
      leases.delete(key);
      if (lease === undefined && instance.lease) return; // it was never written
      await within<unknown>(call, lease === undefined ? client.delete({ key }) : client.revokeLease(lease));
    },
  };
}

/** Lease ids are 64-bit numbers; whether a gateway writes them signed differs. */
function sameLease(one: string, other: string): boolean {
  return BigInt.asUintN(64, BigInt(one)) === BigInt.asUintN(64, BigInt(other));
}

/** @throws FlotillaError CONFIG_INVALID */
export function checkPrefix(prefix: string): string {
  if (/^\/[\x21-\x7e]{0,200}\/$|^\/$/.test(prefix)) return prefix;
  throw new FlotillaError(
    'CONFIG_INVALID',
    `registry: the prefix "${prefix.slice(0, 80)}" must begin and end with "/"`,
  );
}
