import { formatIdentity, type Instance } from '@flotilla/core';
import type { RegistryLimits } from './limits.ts';
import { ServiceLeases, type Slot } from './service-leases.ts';

/** The services of a registry, by identity and by name. */
export class ServiceIndex {
  readonly #byKey = new Map<string, ServiceLeases>();
  /** By the name in lower case, for dialects that do not tell `orders` from `ORDERS`. */
  readonly #byName = new Map<string, Set<ServiceLeases>>();
  /** Without instances; kept while their evictions still count. */
  readonly #empty = new Set<ServiceLeases>();
  #size = 0;

  /** Instances in all. */
  get size(): number {
    return this.#size;
  }

  get(key: string): ServiceLeases | undefined {
    return this.#byKey.get(key);
  }

  /** The services of that name, in any case, whatever their namespace, group and version. */
  named(name: string): Iterable<ServiceLeases> {
    return this.#byName.get(name.toLowerCase()) ?? [];
  }

  /** The place for an instance that has none. */
  open(instance: Instance): ServiceLeases {
    const key = formatIdentity(instance.identity);
    const known = this.#byKey.get(key);
    if (known) return known;
    const service = new ServiceLeases(key, instance.identity.service);
    this.#byKey.set(key, service);
    const name = service.name.toLowerCase();
    const namesakes = this.#byName.get(name);
    if (namesakes) namesakes.add(service);
    else this.#byName.set(name, new Set([service]));
    return service;
  }

  add(slot: Slot): void {
    slot.service.slots.set(slot.lease.instance.id, slot);
    this.#empty.delete(slot.service);
    this.#size++;
  }

  remove({ service, lease }: Slot): void {
    service.slots.delete(lease.instance.id);
    service.lapsed.delete(lease.instance.id);
    if (service.slots.size === 0) this.#empty.add(service);
    this.#size--;
  }

  /** Forgets services without instances whose evictions no longer count. */
  prune(now: number, limits: RegistryLimits): void {
    for (const service of this.#empty) {
      if (!service.isSpent(now, limits)) continue;
      this.#empty.delete(service);
      this.#byKey.delete(service.key);
      const name = service.name.toLowerCase();
      const namesakes = this.#byName.get(name);
      namesakes?.delete(service);
      if (namesakes?.size === 0) this.#byName.delete(name);
    }
  }

  [Symbol.iterator](): Iterator<ServiceLeases> & Iterable<ServiceLeases> {
    return this.#byKey.values();
  }
}
