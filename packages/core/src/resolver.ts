import type { ContractDocument, Instance, InstanceStatus } from './instance.ts';

/** Whom a caller looks for: a service by name, or whoever serves a contract. */
export type Target = { readonly service: string } | { readonly contract: string };

/** `service:orders` or `contract:orders`: a key for maps, logs and files. */
export function formatTarget(target: Target): string {
  return 'service' in target ? `service:${target.service}` : `contract:${target.contract}`;
}

/** What a resolver knows of a target at one moment. */
export interface InstanceSet {
  readonly instances: readonly Instance[];
  /**
   * True when the source came up empty a short while ago and may not have heard of everybody yet. The resolver then goes
   * on naming whom it has named, unless it was told that somebody is gone; a caller keeps besides whom it knows from
   * elsewhere, such as its disk.
   */
  readonly warming: boolean;
}

/** Following a target. */
export interface Watch {
  /** No update arrives after this. */
  close(): void;
}

/**
 * Port: service name → live instances. Owned by whoever calls others; implemented by the registry's client and by
 * other registries' dialects.
 */
export interface Resolver {
  /**
   * Calls `update` with the whole set as soon as it is known, and again after each change. While the source cannot be
   * reached nothing is called: the last set stays true. Returns at once; does not throw when the source is down.
   */
  watch(target: Target, update: (set: InstanceSet) => void): Watch;
}

/** An instance that is being kept registered. */
export interface Registration {
  /** Resolves when the registry knows the instance, or when the first try found that it cannot be reached now. Never rejects. */
  readonly announced: Promise<void>;
  /** Says that the owner's status changed. Resolves when the registry knows, or when it cannot be reached now. */
  setStatus(status: InstanceStatus): Promise<void>;
  /** Says that the instance takes another share of the calls. Resolves as {@link setStatus} does. */
  setWeight(weight: number): Promise<void>;
  /**
   * Resolves with `true` as soon as every caller that follows the registry has taken in what the instance last said of
   * itself; with `false` when that cannot be known, or not within `limitMs`. Never rejects. Absent: it cannot be known.
   */
  noticed?(limitMs: number): Promise<boolean>;
  /** Takes the instance out and stops renewing. Never rejects: a lease that cannot be given up lapses. */
  deregister(): Promise<void>;
}

/** Port: makes an instance known and keeps it so. */
export interface Registrar {
  /**
   * Registers now, renews from then on, registers again when the registry forgot. An unreachable registry is not an
   * error: it is tried again until it answers.
   * @param documents of contracts that the instance serves or calls, for a registry that asks for them.
   */
  register(instance: Instance, documents?: readonly ContractDocument[]): Registration;
}
