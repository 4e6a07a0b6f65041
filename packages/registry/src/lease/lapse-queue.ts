import { ExpiryQueue } from './expiry-queue.ts';
import { hasLapsed } from './lease.ts';
import type { Moment } from './moment.ts';
import type { ServiceIndex } from './service-index.ts';
import type { ServiceLeases, Slot } from './service-leases.ts';

/**
 * Which leases lapse when. A slot has at most one entry in the queue that counts, at `slot.queuedAt`.
 *
 * ```
 *   registered at 0 for 90 s: entry at 90 · renewed at 30 and 60: the entry stays ·
 *   at 90 it comes up, the lease lasts until 150: entry at 150
 * ```
 *
 * So a renewal, which is nearly everything that a registry does, costs no heap operation.
 */
export class LapseQueue {
  readonly #queue = new ExpiryQueue<Slot>();
  readonly #services: ServiceIndex;

  constructor(services: ServiceIndex) {
    this.#services = services;
  }

  /** No lease lapses before this instant (monotonic). */
  get nextAt(): number {
    return this.#queue.nextAt;
  }

  /** The slot's lease is another one: it will be looked at when it lapses. */
  placed(slot: Slot): void {
    const { lease } = slot;
    if (lease.expiresAt < slot.queuedAt) this.#enqueue(slot);
    else if (lease.expiresAt === Infinity) slot.service.lapsed.delete(lease.instance.id);
  }

  /** Notes in their services which leases have lapsed. @param most leases looked at. @returns those services. */
  collect(moment: Moment, most: number): ReadonlySet<ServiceLeases> {
    const lapsing = new Set<ServiceLeases>();
    for (let looked = 0; looked < most; looked++) {
      const due = this.#queue.takeDue(moment.at);
      if (!due) break;
      const slot = due.item;
      const { id } = slot.lease.instance;
      const counts = slot.service.slots.get(id) === slot && due.at === slot.queuedAt;
      if (!counts) continue;
      slot.queuedAt = Infinity;
      if (!hasLapsed(slot.lease, moment)) {
        this.#enqueue(slot);
        continue;
      }
      slot.service.lapsed.add(id);
      lapsing.add(slot.service);
    }
    return lapsing;
  }

  /** Begins anew with what is listed; nothing counts as lapsed until it is looked at. */
  rebuild(): void {
    this.#queue.clear();
    for (const service of this.#services) {
      for (const [id, slot] of service.slots) {
        if (service.lapsed.has(id)) continue;
        slot.queuedAt = slot.lease.expiresAt;
        if (slot.queuedAt !== Infinity) this.#queue.push(slot.queuedAt, slot);
      }
    }
  }

  #enqueue(slot: Slot): void {
    slot.service.lapsed.delete(slot.lease.instance.id);
    slot.queuedAt = slot.lease.expiresAt;
    if (slot.queuedAt !== Infinity) this.#queue.push(slot.queuedAt, slot);
    // Instances that come and go leave entries behind; more of those than of the others is worth a rebuild.
    if (this.#queue.size > 2 * this.#services.size + 1_024) this.rebuild();
  }
}
