import { type Call, FlotillaError, type Instance, type Place, within } from '@flotilla/core';
import { codeOf, type Stat, type ZooKeeperClient, zookeeperCode } from '../../engines/zookeeper/client.ts';
import { encodeCuratorInstance, nodeName } from './curator-instance.ts';

/**
 * Keeps instances as nodes of Curator's discovery: ephemeral ones for those with a lease. What belongs to another session by
 * now is not taken out: a process that left does not end the one that came after it under the same id.
 * @param begin has the client connect, if it has not yet.
 */
export function curatorPlace(client: ZooKeeperClient, root: string, begin: () => void): Place {
  const pathOf = ({ identity: { service }, id }: Instance): string => {
    if (service === '.' || service === '..') {
      throw new FlotillaError('INVALID_INPUT', `ZooKeeper has no node called "${service}"`);
    }
    return `${root}/${service}/${nodeName(id)}`;
  };
  const isOurs = (stat: Stat, { lease }: Instance): boolean => stat.ephemeralOwner === (lease ? client.sessionId : 0n);

  /** Between its steps it may have become unwanted: what is made after a farewell would stay. */
  const write = async (instance: Instance, call: Call): Promise<void> => {
    const path = pathOf(instance);
    const data = JSON.stringify(encodeCuratorInstance(instance));
    const there = await client.exists(path);
    call.throwIfCancelled();
    if (there && isOurs(there, instance)) {
      await client.set(path, data, there.version);
      return;
    }
    // One of a session that is ending would take itself away later: Curator too makes the node anew then.
    if (there) await client.delete(path, there.version);
    await client.ensure(path.slice(0, path.lastIndexOf('/')));
    call.throwIfCancelled();
    await client.create(path, data, { ephemeral: instance.lease !== undefined });
  };

  return {
    async put(instance, call) {
      begin();
      await within(call, write(instance, call));
      return { kind: 'kept' };
    },
    async renew(instance, call) {
      const stat = await within(call, client.exists(pathOf(instance)));
      return { kind: stat !== undefined && isOurs(stat, instance) ? 'kept' : 'unknown' };
    },
    async remove(instance, call) {
      const path = pathOf(instance);
      const stat = await within(call, client.exists(path));
      if (!stat || !isOurs(stat, instance)) return;
      try {
        await within(call, client.delete(path, stat.version));
      } catch (thrown) {
        if (codeOf(thrown) !== zookeeperCode.noNode) throw thrown;
      }
    },
  };
}
