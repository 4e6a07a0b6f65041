import { type Clock, formatIdentity } from '@flotilla/core';
import type { InstanceKey, Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import { listedStatus } from '../instance.ts';
import { listed } from '../server/listing.ts';
import { encodeStatus } from '../status.ts';
import type { PeerNote, ReplicationItem } from './items.ts';
import type { Task } from './task-queue.ts';
import type { Stamps } from './versions.ts';

/** Writes tasks as a peer gets them: what is true when they are sent, not when they arose. */
export class TaskWriter {
  readonly #registry: Registry;
  readonly #stamps: Stamps;
  readonly #clock: Clock;

  constructor(registry: Registry, stamps: Stamps, clock: Clock) {
    this.#registry = registry;
    this.#stamps = stamps;
    this.#clock = clock;
  }

  /** @returns undefined when whom the task is about is gone: its Cancel follows, or nobody knew it. */
  write(task: Task, forOurs: boolean): ReplicationItem | undefined {
    if (task.kind === 'cancel') return this.#cancel(task, forOurs);
    const lease = this.#registry.get(task.key);
    if (!lease) return undefined;
    if (task.kind === 'register') return this.register(lease, forOurs);
    return task.kind === 'heartbeat' ? this.#heartbeat(lease, forOurs) : this.#override(lease, forOurs);
  }

  register(lease: Lease, forOurs: boolean): ReplicationItem {
    const { overriddenStatus: _, ...head } = headOf(lease);
    return { ...head, instanceInfo: listed(lease), action: 'Register', ...this.#noted(lease, forOurs) };
  }

  #heartbeat(lease: Lease, forOurs: boolean): ReplicationItem {
    return { ...headOf(lease), action: 'Heartbeat', ...this.#noted(lease, forOurs) };
  }

  #override(lease: Lease, forOurs: boolean): ReplicationItem {
    const { override, status } = lease.instance;
    const { overriddenStatus: _, ...head } = headOf(lease);
    return {
      ...head,
      status: encodeStatus(override ?? status),
      action: override === undefined ? 'DeleteStatusOverride' : 'StatusUpdate',
      ...this.#noted(lease, forOurs),
    };
  }

  #cancel({ key, incarnation = 0 }: Task, forOurs: boolean): ReplicationItem {
    const note = {
      service: key.service,
      saidAt: 0,
      overriddenAt: 0,
      heardAgoMs: 0,
      incarnation,
      declaredIncarnation: 0,
    };
    return {
      appName: appOf(key),
      id: key.id,
      action: 'Cancel',
      ...(forOurs ? { flotilla: note } : undefined),
    };
  }

  #noted({ instance, expiresAt, declaredIncarnation }: Lease, forOurs: boolean): { readonly flotilla?: PeerNote } {
    if (!forOurs) return {};
    const key = { service: formatIdentity(instance.identity), id: instance.id };
    // By the monotonic clock: the lease began that long before it ends.
    const heardAgoMs = instance.lease ? this.#clock.now() - (expiresAt - instance.lease.lastsMs) : 0;
    return {
      flotilla: {
        service: key.service,
        saidAt: this.#stamps.saidAt(key),
        overriddenAt: this.#stamps.overriddenAt(key),
        heardAgoMs: Math.max(0, Math.round(heardAgoMs)),
        incarnation: instance.incarnation,
        declaredIncarnation: declaredIncarnation < instance.incarnation ? declaredIncarnation : 0,
      },
    };
  }
}

/** Members in a Java server's order. */
function headOf({ instance }: Lease): Omit<ReplicationItem, 'action'> {
  const { override } = instance;
  return {
    appName: instance.identity.service.toUpperCase(),
    id: instance.id,
    lastDirtyTimestamp: instance.incarnation,
    ...(override === undefined ? undefined : { overriddenStatus: encodeStatus(override) }),
    status: listedStatus(instance),
  };
}

/** The name in `[[namespace/]group/]service[@version]`. */
function appOf({ service }: InstanceKey): string {
  const [path = ''] = service.split('@');
  return path.slice(path.lastIndexOf('/') + 1).toUpperCase();
}
