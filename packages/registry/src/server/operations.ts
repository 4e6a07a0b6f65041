import type { Lease } from '../lease/lease.ts';

/** On whose word something is done. */
export interface Speaker {
  /** Of the principal. */
  readonly name: string;
  /** `anybody`: a registry without users. */
  readonly role: 'anybody' | 'reader' | 'instance' | 'operator' | 'peer';
  /** From where it came, where that is known. */
  readonly address?: string;
}

/** How an operation came to a registry. */
export interface Said {
  /**
   * Who says so. An `instance` (or a `peer` for itself) may not touch what another one registered; a lease of nobody becomes the first one's that
   * registers it. Absent: the process itself, which may do everything.
   */
  readonly by?: Speaker;
  /** Of a registration that another registry passes on: who registered it there. */
  readonly owner?: string;
  /** Whether the `override` of a registered instance counts: an operator's word. Default false. */
  readonly acceptOverride?: boolean;
  /**
   * Whether a registration of the very incarnation that was deregistered is a new life of the instance, not a late copy of
   * the old one: of owners that give all their lives the same. Default false.
   */
  readonly mayReturn?: boolean;
  /** Of a registration that another registry passes on: what the owner gave, where it counts as a later life there. */
  readonly declaredIncarnation?: number;
  /** True: another registry passed it on, and it is not passed on again. Default false. */
  readonly replicated?: boolean;
  /**
   * Of a registration that another registry tells of: how long ago its owner was heard there. The lease is as old, so
   * that registries which tell each other do not keep alive who is gone. Default 0.
   */
  readonly heardAgoMs?: number;
}

/** What somebody did to an instance. */
export interface Operation {
  readonly kind: 'registered' | 'renewed' | 'statusSet' | 'overrideSet' | 'deregistered';
  /** As it is now; of `deregistered`: as it was last. */
  readonly lease: Lease;
  /** Another registry passed it on. */
  readonly replicated: boolean;
}

/** Tells operations to whoever follows them: peers, shared engines. */
export class OperationHub {
  readonly #listeners = new Set<(operation: Operation) => void>();

  follow(listener: (operation: Operation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To how many others what is done here is passed on. */
  get followers(): number {
    return this.#listeners.size;
  }

  happened(kind: Operation['kind'], lease: Lease, { replicated = false }: Said): void {
    if (this.#listeners.size === 0) return; // nearly always: renewals are nearly everything that a registry does
    for (const listener of this.#listeners) listener({ kind, lease, replicated });
  }
}
