import type { Clock } from '@flotilla/core';
import type { InstanceKey } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';

/** What was read of one instance, here and at the peer. */
interface Reading {
  /** As Eureka finds it: a name in any case, and an id. */
  readonly key: InstanceKey;
  /** Wall time of the last sign of life here; undefined: it is not listed. */
  readonly renewedHere: number | undefined;
  /** The same by the peer's own clock. */
  readonly renewedThere: number;
  /** From when on its owner must have renewed at least once (monotonic). */
  readonly dueAt: number;
}

/** What two readings of the same instances showed. */
export interface Renewals {
  /** Whom somebody renewed here meanwhile. */
  readonly heard: number;
  /** One that its owner renewed at the peer and nobody here: word of it did not come. */
  readonly missed: InstanceKey | undefined;
}

interface WithheldNeeds {
  readonly registry: Registry;
  readonly clock: Clock;
  /** When the peer heard an instance last, by its own clock; undefined: it lists none of that name. */
  readonly renewedThere: (key: InstanceKey) => Promise<number | undefined>;
}

/** Instances that are read at a time: each costs the peer a request a minute. */
const atATime = 4;
/** One renewal is late, or lost, now and then. */
const intervals = 1.5;

/**
 * Finds out whether a Java server passes on the renewals that it hears. It does so only to registries that it lists itself;
 * of one that it does not list it says nothing, and the leases that this one took over end.
 *
 * A few instances are read twice, an interval and a half of theirs apart: by a peer that withholds them they were renewed
 * there in between, and not here. Both times of the peer are by its own clock, so it may be off by any amount.
 */
export class Withheld {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #renewedThere: WithheldNeeds['renewedThere'];
  readonly #readings = new Map<string, Reading>();
  #looked = false;

  constructor({ registry, clock, renewedThere }: WithheldNeeds) {
    this.#registry = registry;
    this.#clock = clock;
    this.#renewedThere = renewedThere;
  }

  /** @param absent whom the peer lists and this registry does not. @throws FlotillaError when the peer does not answer. */
  async look(absent: readonly InstanceKey[]): Promise<Renewals> {
    const now = this.#clock.now();
    let heard = 0;
    let missed: InstanceKey | undefined;
    for (const [name, reading] of this.#readings) {
      const isHeard = this.#isHeard(reading);
      if (!isHeard && now < reading.dueAt) continue;
      this.#readings.delete(name);
      if (isHeard) heard++;
      else if (await this.#grew(reading)) missed ??= reading.key;
    }
    for (const key of this.#candidates(absent, now)) await this.#read(key, now);
    return { heard, missed };
  }

  #isHeard({ key: { service, id }, renewedHere = 0 }: Reading): boolean {
    const lease = this.#registry.find(service, id);
    return lease !== undefined && lease.renewedAt > renewedHere;
  }

  async #grew(reading: Reading): Promise<boolean> {
    const renewedThere = await this.#renewedThere(reading.key);
    // Word of it may have come while the peer was asked.
    return renewedThere !== undefined && renewedThere > reading.renewedThere && !this.#isHeard(reading);
  }

  /** Those first that should have been heard; at the first look, which follows a take-over, anybody. */
  #candidates(absent: readonly InstanceKey[], now: number): InstanceKey[] {
    const free = atATime - this.#readings.size;
    const chosen = absent.filter((key) => !this.#readings.has(nameOf(key))).slice(0, free);
    for (const { instance, expiresAt } of this.#registry.list()) {
      if (chosen.length >= free) break;
      const { identity, id, lease } = instance;
      if (!lease) continue;
      const unheardMs = now - (expiresAt - lease.lastsMs);
      if (this.#looked && unheardMs < intervals * lease.renewEveryMs) continue;
      const key = { service: identity.service, id };
      if (!this.#readings.has(nameOf(key))) chosen.push(key);
    }
    this.#looked = true;
    return chosen;
  }

  async #read(key: InstanceKey, now: number): Promise<void> {
    const renewedThere = await this.#renewedThere(key);
    if (renewedThere === undefined) return;
    const lease = this.#registry.find(key.service, key.id);
    const renewEveryMs = lease?.instance.lease?.renewEveryMs ?? usualRenewalMs;
    const dueAt = now + intervals * renewEveryMs;
    this.#readings.set(nameOf(key), { key, renewedHere: lease?.renewedAt, renewedThere, dueAt });
  }
}

/** Eureka's default. */
const usualRenewalMs = 30_000;

function nameOf({ service, id }: InstanceKey): string {
  return `${service.toLowerCase()}\n${id}`;
}
