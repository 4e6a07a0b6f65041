import type { Call, Clock, Instance } from '@flotilla/core';
import { isLeaving } from '../is-leaving.ts';
import { bulletinTexts, readBulletin } from './bulletin.ts';
import type { LeaseEngine } from './engine.ts';

/** What {@link Departures} need. */
export interface DeparturesParts {
  readonly engine: Pick<LeaseEngine, 'publish'>;
  readonly clock: Clock;
  readonly node: string;
  /** Resolves with whether all callers of this node know of an instance's last change. */
  readonly noticedHere: (instance: Instance) => Promise<boolean>;
}

/** Callers of a node that went may be on their way to another one, and know what they knew. */
const awayMs = 30_000;
/** Departures remembered, and followed, at a time; what is beyond is waited for by the clock. */
const mostKept = 10_000;
const mostFollowed = 2_000;

interface Wait {
  readonly revision: number;
  readonly missing: Set<string>;
  readonly done: () => void;
}

/**
 * Whether the callers of all nodes know of somebody who leaves. A node that sees a record of one who drains, or is out of
 * service, waits until its own callers have acknowledged that, and says so in a bulletin that names the record's revision.
 * The node that the one who leaves asks waits for such word of all the others.
 */
export class Departures {
  readonly #parts: DeparturesParts;
  /** Nodes that said so, by the revision of the record; the oldest is forgotten first. */
  readonly #said = new Map<number, Set<string>>();
  /** Revisions that this node follows. */
  readonly #followed = new Set<number>();
  readonly #waits = new Set<Wait>();
  /** Revisions to be told. */
  #telling: number[] = [];
  #isTelling = false;
  #others: readonly string[] | undefined;
  #completeFrom = 0;

  constructor(parts: DeparturesParts) {
    this.#parts = parts;
  }

  /** The nodes that are there; undefined: the engine is away, so nobody knows. */
  members(nodes: readonly string[] | undefined): void {
    const others = nodes?.filter((node) => node !== this.#parts.node);
    const isOneGone = this.#others?.some((node) => !others?.includes(node)) ?? false;
    if (isOneGone) this.#completeFrom = this.#parts.clock.now() + awayMs;
    this.#others = others;
    if (isOneGone || !others) for (const { done } of this.#waits) done();
  }

  /** The engine has a record of a listed instance. */
  listed(instance: Instance, revision: number): void {
    if (!isLeaving(instance) || this.#followed.has(revision) || this.#followed.size >= mostFollowed) return;
    this.#followed.add(revision);
    const { noticedHere } = this.#parts;
    noticedHere(instance)
      .then((noticed) => (noticed ? this.#tell(revision) : undefined))
      .catch(() => {}) // too many are waited for: the others wait by the clock
      .finally(() => this.#followed.delete(revision));
  }

  heard(node: string, text: string): void {
    for (const revision of readBulletin('noticed', text)) {
      const said = this.#said.get(revision) ?? new Set();
      this.#said.set(revision, said.add(node));
      for (const wait of this.#waits) if (wait.revision === revision && wait.missing.delete(node)) endIfAll(wait);
    }
    for (const oldest of this.#said.keys()) {
      if (this.#said.size <= mostKept) return;
      this.#said.delete(oldest);
    }
  }

  /** Resolves with whether the callers of all other nodes know of a record; no later than after `limitMs` or `call`. */
  async noticed(revision: number, limitMs: number, call: Call): Promise<boolean> {
    const { clock } = this.#parts;
    if (!this.#others || clock.now() < this.#completeFrom) return false;
    const said = this.#said.get(revision);
    const missing = new Set(this.#others.filter((node) => !said?.has(node)));
    if (missing.size === 0) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait: Wait = { revision, missing, done: resolve };
    const timer = clock.setTimer(limitMs, resolve, { background: true });
    const stopListening = call.onCancel(() => resolve());
    this.#waits.add(wait);
    await promise;
    this.#waits.delete(wait);
    timer.cancel();
    stopListening();
    return missing.size === 0;
  }

  stop(): void {
    for (const { done } of this.#waits) done();
  }

  /** One bulletin at a time: what comes meanwhile goes into the next one. */
  async #tell(revision: number): Promise<void> {
    this.#telling.push(revision);
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#telling.length > 0) {
        const revisions = this.#telling;
        this.#telling = [];
        for (const text of bulletinTexts('noticed', revisions)) await this.#parts.engine.publish(text);
      }
    } finally {
      this.#isTelling = false;
    }
  }
}

function endIfAll({ missing, done }: Wait): void {
  if (missing.size === 0) done();
}
