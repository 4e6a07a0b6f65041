import type { Change, Lease } from '@flotilla/registry';
import { nextTurn, type Registry } from '@flotilla/registry/server';
import { hashCodeOfCounts } from '../applications.ts';
import type { EurekaStatus } from '../document.ts';
import { listedStatus } from '../instance.ts';
import { ApplicationEntry, type Recent, type Written } from './application-entry.ts';
import { type Chunk, Chunks } from './chunks.ts';

/** Leases or changes that are looked at between two turns of the event loop: some milliseconds. */
const looksPerTurn = 1_000;

/**
 * The applications that Eureka's readers see, how many instances have which status, and what changed lately, kept up to
 * date by what changed since it was asked last. An application's instances are told apart by id alone, so of two services
 * that share a name (in other namespaces, groups or versions) the first one's instance stands for an id that both have.
 */
export class ApplicationsIndex {
  readonly #registry: Registry;
  readonly #retentionMs: number;
  readonly #chunks = new Chunks();
  readonly #counts = new Map<EurekaStatus, number>();
  /** What changed lately, in that order. */
  readonly #recent = new Set<Recent>();
  /** After this instant (monotonic) all changes are known. */
  #knownAfter = -Infinity;
  /** Up to where it is true; undefined: it has to be made anew. */
  #revision: number | undefined;
  #making: Promise<void> | undefined;

  /** @param retentionMs how long a change is known as one that happened lately */
  constructor(registry: Registry, retentionMs: number) {
    this.#registry = registry;
    this.#retentionMs = retentionMs;
  }

  chunks(): Iterable<Chunk> {
    return this.#chunks;
  }

  /** Of everybody whom readers see. */
  get hashCode(): string {
    return hashCodeOfCounts(this.#counts);
  }

  /** All that changed lately is known: that is not so after a start, and after more changes than the registry keeps. */
  knowsChanges(now: number): boolean {
    return now - this.#retentionMs > this.#knownAfter;
  }

  /**
   * Brings it up to date: what is read of it within this turn of the event loop is of one moment.
   * @param now monotonic. @returns false when that takes several turns: wait for {@link advance}, and ask again
   */
  catchUp(now: number): boolean {
    const changes = this.#changes();
    if (!changes || changes.length > looksPerTurn) return false;
    this.#takeAll(changes);
    return this.#forgetBefore(now - this.#retentionMs);
  }

  /** Does a part of what {@link catchUp} would have to do. @param now monotonic */
  async advance(now: number): Promise<void> {
    const changes = this.#changes();
    if (!changes) return this.#make(now);
    this.#takeAll(changes.slice(0, looksPerTurn));
    return nextTurn();
  }

  lease(application: ApplicationEntry, id: string): Lease | undefined {
    return this.#registry.find(application.name, id);
  }

  /** Nobody asks for what was written in this form any more. */
  forget(formatName: string): void {
    for (const { full, delta } of this.#allWritten()) {
      for (const written of [full, delta])
        for (const key of written.keys()) if (key.startsWith(`${formatName} `)) written.delete(key);
    }
  }

  /** Nobody needs what was written for deltas any more. */
  forgetDeltas(): void {
    for (const written of this.#allWritten()) written.delta = new Map();
  }

  *#allWritten(): Generator<Written<unknown>, undefined> {
    for (const { applications, written } of this.#chunks) {
      yield written;
      for (const { segments } of applications.values()) for (const segment of segments) yield segment.written;
    }
  }

  /** What it has not taken in; undefined: more than is known. */
  #changes(): readonly Change[] | undefined {
    return this.#revision === undefined ? undefined : this.#registry.changesSince(this.#revision);
  }

  #takeAll(changes: readonly Change[]): void {
    for (const change of changes) this.#take(change);
    this.#revision = changes.at(-1)?.revision ?? this.#revision;
  }

  #make(now: number): Promise<void> {
    this.#making ??= this.#makeAnew(now).finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async #makeAnew(now: number): Promise<void> {
    const { revision } = this.#registry.cursor;
    this.#revision = undefined;
    this.#chunks.clear();
    this.#counts.clear();
    this.#recent.clear();
    let looked = 0;
    for (const { instance } of this.#registry.list()) {
      this.#look(instance.identity.service.toUpperCase(), instance.id);
      if (++looked % looksPerTurn === 0) await nextTurn();
    }
    const { changes, complete } = this.#registry.recentChanges(this.#retentionMs);
    this.#knownAfter = complete ? -Infinity : (changes[0]?.at ?? now);
    for (const change of changes) {
      this.#take(change);
      if (++looked % looksPerTurn === 0) await nextTurn();
    }
    this.#revision = revision; // what changed meanwhile is looked at again, which does no harm
  }

  #take(change: Change): void {
    const application = this.#look(appOfChange(change), change.id, change);
    const before = application?.recent(change.id);
    if (!application || (before && before.last.revision >= change.revision)) return;
    const { id, reason } = change;
    this.#note({ application, id, last: change, isNew: !before && reason === 'registered' }, before);
    if (this.#recent.size <= this.#registry.limits.maxChanges) return;
    for (const oldest of this.#recent) {
      this.#knownAfter = oldest.last.at;
      this.#forget(oldest);
      return;
    }
  }

  /** Looks at what is listed under an id now. @param change that it went through: the application is there then */
  #look(name: string, id: string, change?: Change): ApplicationEntry | undefined {
    const lease = this.#registry.find(name, id);
    let application = this.#chunks.get(name);
    if (!application) {
      if (!lease && !change) return undefined;
      application = new ApplicationEntry(name);
      this.#chunks.add(application);
    }
    const status = lease && listedStatus(lease.instance);
    this.#touch(application, 'full');
    const before = application.list(id, status);
    if (before === status) return application;
    if (before) this.#count(before, -1);
    if (status) this.#count(status, 1);
    return application;
  }

  #note(entry: Recent, before: Recent | undefined): void {
    if (before) this.#recent.delete(before);
    this.#recent.add(entry);
    entry.application.note(entry.id, entry);
  }

  /** @returns all that is older is forgotten; false: that takes several turns */
  #forgetBefore(at: number): boolean {
    let forgotten = 0;
    for (const entry of this.#recent) {
      if (entry.last.at >= at) return true;
      if (forgotten++ === looksPerTurn) return false;
      this.#forget(entry);
    }
    return true;
  }

  #forget(entry: Recent): void {
    const { application, id } = entry;
    this.#recent.delete(entry);
    application.note(id, undefined);
    this.#touch(application, 'delta');
    if (application.isEmpty) this.#chunks.remove(application);
  }

  /** What was written of an application's chunk is no longer true: of deltas, or of all lists. */
  #touch({ name }: ApplicationEntry, what: 'full' | 'delta'): void {
    const { written } = this.#chunks.of(name);
    written.delta = new Map();
    if (what === 'full') written.full = new Map();
  }

  #count(status: EurekaStatus, by: number): void {
    const count = (this.#counts.get(status) ?? 0) + by;
    if (count > 0) this.#counts.set(status, count);
    else this.#counts.delete(status);
  }
}

/** The name of the application that a change is about, as readers see it. */
function appOfChange({ before, after }: Change): string {
  return (after ?? before)?.identity.service.toUpperCase() ?? '';
}
