import type { InstanceKey, LeaseTable } from '../lease/lease-table.ts';
import { type RegistryLimits, tombstoneLeases } from '../lease/limits.ts';
import type { Moment } from '../lease/moment.ts';
import type { SavedTombstone } from '../lease/stored-state.ts';
import type { Ended } from './local-changes.ts';
import type { Outgoing } from './outbox.ts';
import type { Pending } from './pending.ts';

/** What a node's table says of an instance, in the form in which an engine keeps it. */
export class TableRecords {
  readonly #table: LeaseTable;
  readonly #limits: RegistryLimits;

  constructor(table: LeaseTable, limits: RegistryLimits) {
    this.#table = table;
    this.#limits = limits;
  }

  /** @returns undefined for somebody who is not listed and did not say farewell. */
  outgoing({ key, changes }: Pending, moment: Moment): Outgoing | undefined {
    const lease = this.#table.get(key);
    if (lease) {
      const { expiresAt: _, ...saved } = lease;
      return { kept: { lease: saved }, listed: lease.instance.revision };
    }
    const farewell = changes.find((change) => change.kind === 'deregistered');
    if (!farewell) return undefined;
    const known = this.#table.tombstone(key, moment);
    const ended: Ended = known && known.incarnation >= farewell.incarnation ? known : farewell;
    return { kept: { gone: this.#stone(key, ended, 'deregistered', moment) }, listed: -1 };
  }

  /** The tombstone of somebody who is listed, if it goes now. */
  evicted(key: InstanceKey, moment: Moment): SavedTombstone | undefined {
    const lease = this.#table.get(key);
    if (!lease) return undefined;
    const { incarnation, override } = lease.instance;
    const stone = this.#stone(key, { incarnation }, 'evicted', moment);
    return override ? { ...stone, override } : stone;
  }

  #stone(
    { service, id }: InstanceKey,
    { incarnation, declaredIncarnation: declared }: Ended,
    reason: SavedTombstone['reason'],
    { wallAt }: Moment,
  ): SavedTombstone {
    // Shown to whoever reads the engine; each node keeps a tombstone by its own clock.
    const until = Math.ceil(wallAt + tombstoneLeases * this.#limits.longestLeaseMs);
    const owners = declared === undefined ? undefined : { declaredIncarnation: declared };
    return { service, id, incarnation, ...owners, reason, until };
  }
}
