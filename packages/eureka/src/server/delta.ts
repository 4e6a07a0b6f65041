import type { Change, Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import type { Format, FormatName } from '../formats.ts';
import { applicationsText, endedText, hashCodeOf, type ListedText, listedText, visible } from './listing.ts';
import { SharedText } from './shared-text.ts';

/** How long a change stays in the delta by default: `retentionTimeInMSInDeltaQueue` of Java servers. */
export const deltaRetentionMs = 180_000;
/** A delta is written anew at least this often, to leave out what is over: `deltaRetentionTimerIntervalInMs`. */
const purgeMs = 30_000;

/**
 * `GET apps/delta`: who was added, modified or deleted within the retention, each as it is now, and the hash code of the
 * whole registry, by which a reader finds out that it missed something and fetches everything.
 *
 * - An instance that changed more than once is MODIFIED, so that readers which pass over an ADDED one that they have
 *   (`eureka-js-client`) take the change in. Java's readers take both words for the same.
 * - Within an application the deleted come first: readers that tell instances apart by host and port
 *   (`eureka-js-client`) would otherwise drop a process's successor with it.
 * - When not all changes within the retention are known (a start younger than that, more changes than are kept), everybody
 *   is in the delta. A reader then has no fewer instances than the registry, so equal hash codes mean equal lists.
 */
export class DeltaListing {
  readonly #registry: Registry;
  readonly #retentionMs: number;
  #version = 0;
  readonly #made = new Map<
    FormatName,
    { readonly revision: number; readonly until: number; readonly text: SharedText }
  >();

  constructor(registry: Registry, retentionMs: number) {
    this.#registry = registry;
    this.#retentionMs = retentionMs;
  }

  /** @param now monotonic. */
  text(format: Format, now: number): SharedText {
    const { revision } = this.#registry.cursor;
    const known = this.#made.get(format.name);
    if (known?.revision === revision && now < known.until) return known.text;
    const text = new SharedText(this.#write(format));
    this.#made.set(format.name, { revision, until: now + purgeMs, text });
    return text;
  }

  #write(format: Format): string {
    const { changes, complete } = this.#registry.recentChanges(this.#retentionMs);
    const places = placesOf(changes);
    const alive = complete ? livingAt(this.#registry, places) : visible(this.#registry);
    const documents = [
      ...goneFrom(format, this.#registry, places),
      ...alive.map((lease) =>
        listedText(format, lease, places.get(keyOf(lease.instance))?.isNew ? 'ADDED' : 'MODIFIED'),
      ),
    ];
    return applicationsText(format, documents, { version: ++this.#version, hashCode: hashCodeOf(this.#registry) });
  }
}

/** What became of an id among the instances of an application's name. */
interface Place {
  readonly app: string;
  readonly last: Change;
  /** It came, and nothing else is known to have happened to it. */
  readonly isNew: boolean;
}

/** In the order of their last changes. */
function placesOf(changes: readonly Change[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const change of changes) {
    const instance = change.after ?? change.before;
    if (!instance) continue;
    const key = keyOf(instance);
    const isNew = change.reason === 'registered' && !places.has(key);
    places.delete(key);
    places.set(key, { app: instance.identity.service, last: change, isNew });
  }
  return places;
}

function* livingAt(registry: Registry, places: ReadonlyMap<string, Place>): Generator<Lease, undefined> {
  for (const { app, last } of places.values()) {
    const lease = registry.find(app, last.id);
    if (lease) yield lease;
  }
}

function goneFrom(format: Format, registry: Registry, places: ReadonlyMap<string, Place>): ListedText[] {
  return Array.from(places.values()).flatMap(({ app, last }) =>
    last.endedLease && !registry.find(app, last.id) ? [endedText(format, last.endedLease, last.changedAt)] : [],
  );
}

/** An id holds no line feed. */
function keyOf({ identity, id }: Lease['instance']): string {
  return `${identity.service.toLowerCase()}\n${id}`;
}
