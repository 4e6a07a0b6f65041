import type { Change, Lease } from '@flotilla/registry';
import { nextTurn, type Registry } from '@flotilla/registry/server';
import { hashCodeOfCounts } from '../applications.ts';
import type { EurekaStatus } from '../document.ts';
import { listedStatus } from '../instance.ts';
import type { ListPart } from './shared-list.ts';

/** Some instances of an application, and what was written of them. */
export interface Segment {
  readonly statuses: Map<string, EurekaStatus>;
  /** By how it was written; empty since the last change of one of its instances. */
  readonly written: Map<string, ListPart>;
}

/** An application in several segments from this size on, so that a change rewrites one of them. */
const mostPerSegment = 128;
/** Leases that are looked at between two turns of the event loop: some milliseconds. */
const leasesPerTurn = 2_000;

/** One application: its instances by a hash of their ids. */
export class ApplicationEntry {
  readonly name: string;
  segments: Segment[] = [newSegment()];
  #size = 0;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the status that it had; undefined: it was not there */
  put(id: string, status: EurekaStatus): EurekaStatus | undefined {
    const segment = this.segmentOf(id);
    const before = segment.statuses.get(id);
    segment.statuses.set(id, status);
    segment.written.clear();
    if (before === undefined && ++this.#size > mostPerSegment * this.segments.length) this.#split();
    return before;
  }

  remove(id: string): EurekaStatus | undefined {
    const segment = this.segmentOf(id);
    const before = segment.statuses.get(id);
    if (before === undefined) return undefined;
    segment.statuses.delete(id);
    segment.written.clear();
    this.#size--;
    return before;
  }

  /** Those that hold anybody. */
  filled(): Segment[] {
    return this.segments.filter(({ statuses }) => statuses.size > 0);
  }

  segmentOf(id: string): Segment {
    const { length } = this.segments;
    return this.segments[length === 1 ? 0 : hashOf(id) % length] as Segment;
  }

  #split(): void {
    const all = this.segments.flatMap(({ statuses }) => [...statuses]);
    this.segments = Array.from({ length: 2 * this.segments.length }, newSegment);
    for (const [id, status] of all) this.segmentOf(id).statuses.set(id, status);
  }
}

/**
 * The applications that Eureka's readers see and how many instances have which status, kept up to date by what changed
 * since it was asked last. An application's instances are told apart by id alone, so of two services that share a name (in
 * other namespaces, groups or versions) the first one's instance stands for an id that both have.
 */
export class ApplicationsIndex {
  readonly #registry: Registry;
  readonly #applications = new Map<string, ApplicationEntry>();
  readonly #counts = new Map<EurekaStatus, number>();
  /** Up to where it is true; undefined: it has to be made anew. */
  #revision: number | undefined;
  #making: Promise<void> | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** In the order in which they came. */
  applications(): Iterable<ApplicationEntry> {
    return this.#applications.values();
  }

  get(name: string): ApplicationEntry | undefined {
    return this.#applications.get(name);
  }

  /** Of everybody whom readers see. */
  get hashCode(): string {
    return hashCodeOfCounts(this.#counts);
  }

  /** Brings it up to date. @returns false when that takes several turns: wait for {@link make}, and ask again */
  catchUp(): boolean {
    const changes = this.#revision === undefined ? undefined : this.#registry.changesSince(this.#revision);
    if (!changes) return false;
    for (const change of changes) this.#touch(appOfChange(change), change.id);
    this.#revision = this.#registry.cursor.revision;
    return true;
  }

  /** Makes it anew, in slices. */
  make(): Promise<void> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  lease(application: ApplicationEntry, id: string): Lease | undefined {
    return this.#registry.find(application.name, id);
  }

  /** Nobody asks for what was written in this form any more. */
  forget(formatName: string): void {
    for (const { segments } of this.#applications.values()) {
      for (const { written } of segments) {
        for (const key of written.keys()) if (key.startsWith(`${formatName} `)) written.delete(key);
      }
    }
  }

  async #make(): Promise<void> {
    const { revision } = this.#registry.cursor;
    this.#revision = undefined;
    this.#applications.clear();
    this.#counts.clear();
    let looked = 0;
    for (const { instance } of this.#registry.list()) {
      this.#touch(instance.identity.service.toUpperCase(), instance.id);
      if (++looked % leasesPerTurn === 0) await nextTurn();
    }
    this.#revision = revision; // what changed meanwhile is looked at again, which does no harm
  }

  #touch(name: string, id: string): void {
    const known = this.#applications.get(name);
    const lease = this.#registry.find(name, id);
    if (!lease) {
      const before = known?.remove(id);
      if (before) this.#count(before, -1);
      if (known?.size === 0) this.#applications.delete(name);
      return;
    }
    const application = known ?? new ApplicationEntry(name);
    if (!known) this.#applications.set(name, application);
    const status = listedStatus(lease.instance);
    const before = application.put(id, status);
    if (before === status) return;
    if (before) this.#count(before, -1);
    this.#count(status, 1);
  }

  #count(status: EurekaStatus, by: number): void {
    const count = (this.#counts.get(status) ?? 0) + by;
    if (count > 0) this.#counts.set(status, count);
    else this.#counts.delete(status);
  }
}

/** The name of the application that a change is about, as readers see it. */
export function appOfChange({ before, after }: Change): string {
  return (after ?? before)?.identity.service.toUpperCase() ?? '';
}

function newSegment(): Segment {
  return { statuses: new Map(), written: new Map() };
}

/** FNV-1a. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
