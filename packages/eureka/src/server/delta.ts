import type { Change, Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import type { Format, FormatName } from '../formats.ts';
import { type ApplicationsIndex, appOfChange, hashOf, type Segment } from './applications-index.ts';
import {
  type Actions,
  type Section,
  type SectionPlace,
  sectionText,
  wholeApplication,
  writeList,
} from './list-writer.ts';
import { ended, listed } from './listing.ts';
import { ListPart, type SharedList } from './shared-list.ts';

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
  readonly #index: ApplicationsIndex;
  readonly #retentionMs: number;
  #version = 0;
  readonly #made = new Map<FormatName, Made>();
  readonly #making = new Map<FormatName, Promise<void>>();

  constructor(registry: Registry, index: ApplicationsIndex, retentionMs: number) {
    this.#registry = registry;
    this.#index = index;
    this.#retentionMs = retentionMs;
  }

  /** @param packed the reader wants it compressed. @param now monotonic. */
  async list(format: Format, packed: boolean, now: number): Promise<SharedList> {
    const { revision } = this.#registry.cursor;
    for (;;) {
      const made = this.#made.get(format.name);
      const isNew = made && made.revision >= revision && now < made.until;
      if (isNew && (made.packed || !packed)) return made.list;
      await (this.#making.get(format.name) ?? this.#make(format, packed, now));
    }
  }

  #make(format: Format, packed: boolean, now: number): Promise<void> {
    const making = this.#write(format, packed, now).finally(() => this.#making.delete(format.name));
    this.#making.set(format.name, making);
    return making;
  }

  async #write(format: Format, packed: boolean, now: number): Promise<void> {
    const known = new Map(this.#made.get(format.name)?.written);
    let revision = 0;
    let written = new Map<string, ListPart>();
    const list = await writeList({
      index: this.#index,
      format,
      packed,
      sections: () => {
        for (const [key, part] of written) known.set(key, part);
        written = new Map();
        return this.#sections(format, { known, written });
      },
      facts: () => {
        revision = this.#registry.cursor.revision;
        return { version: ++this.#version, hashCode: this.#index.hashCode };
      },
    });
    this.#made.set(format.name, { revision, until: now + purgeMs, packed, list, written });
  }

  #sections(format: Format, texts: Texts): Section[] {
    const { changes, complete } = this.#registry.recentChanges(this.#retentionMs);
    const byApp = Map.groupBy(placesOf(changes).values(), ({ app }) => app);
    if (!complete) return this.#everybody(format, byApp, texts);
    const sections: Section[] = [];
    for (const [app, places] of byApp) {
      const gone = bucketsOf(places.filter((place) => this.#hasGone(place)));
      const living = bucketsOf(places.filter(({ id }) => this.#registry.find(app, id)));
      const groups = [...gone, ...living];
      for (const [position, group] of groups.entries()) {
        const place = { starts: position === 0, ends: position === groups.length - 1 };
        sections.push(new PlacesSection(this.#registry, format, app, group, place, texts));
      }
    }
    return sections;
  }

  /** Everybody, and who has gone as far as it is known. */
  #everybody(format: Format, byApp: ReadonlyMap<string, readonly Place[]>, texts: Texts): Section[] {
    const index = this.#index;
    const apps = new Set([...Array.from(index.applications(), ({ name }) => name), ...byApp.keys()]);
    return Array.from(apps).flatMap((app) => {
      const places = byApp.get(app) ?? [];
      const application = index.get(app);
      const gone = bucketsOf(places.filter((place) => this.#hasGone(place)));
      const sections: Section[] = gone.map((group, position) => {
        const place = { starts: position === 0, ends: !application && position === gone.length - 1 };
        return new PlacesSection(this.#registry, format, app, group, place, texts);
      });
      if (!application) return sections;
      const newcomers = Map.groupBy(
        places.filter(({ isNew }) => isNew),
        ({ id }) => application.segmentOf(id),
      );
      const actions = (segment: Segment): Actions => actionsOf(newcomers.get(segment) ?? []);
      return [...sections, ...wholeApplication(index, application, format, actions, gone.length > 0)];
    });
  }

  #hasGone({ app, id, last }: Place): boolean {
    return last.endedLease !== undefined && !this.#registry.find(app, id);
  }
}

/** A list as it was made for a reader, and the texts that the next one may use again. */
interface Made {
  readonly revision: number;
  readonly until: number;
  readonly packed: boolean;
  readonly list: SharedList;
  readonly written: ReadonlyMap<string, ListPart>;
}

/** What became of an id among the instances of an application. */
interface Place {
  readonly app: string;
  readonly id: string;
  readonly last: Change;
  /** It came, and nothing else is known to have happened to it. */
  readonly isNew: boolean;
}

/** In the order of their last changes. */
function placesOf(changes: readonly Change[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const change of changes) {
    const app = appOfChange(change);
    const { id } = change;
    const key = `${app}\n${id}`; // an id holds no line feed
    const isNew = change.reason === 'registered' && !places.has(key);
    places.delete(key);
    places.set(key, { app, id, last: change, isNew });
  }
  return places;
}

/** Of more than this many places, by a hash of their ids, those that changed are written again and the others are not. */
const mostPerBucket = 64;

function bucketsOf(places: readonly Place[]): Place[][] {
  if (places.length <= mostPerBucket) return places.length === 0 ? [] : [[...places]];
  const count = 2 ** Math.ceil(Math.log2(places.length / mostPerBucket));
  return [...Map.groupBy(places, ({ id }) => hashOf(id) % count).values()];
}

/** An instance that is new is ADDED; whoever else there is may be known to the reader, and is MODIFIED. */
function actionsOf(newcomers: readonly Place[]): Actions {
  const ids = new Set(newcomers.map(({ id }) => id));
  return { key: `delta ${signatureOf(newcomers)}`, of: (id) => (ids.has(id) ? 'ADDED' : 'MODIFIED') };
}

/** Which changes it is about, and what they mean. */
function signatureOf(places: readonly Place[]): string {
  return places.map(({ last, isNew }) => `${last.revision}${isNew ? '+' : ''}`).join(' ');
}

/** Texts of the delta before this one, and of this one. */
interface Texts {
  readonly known: ReadonlyMap<string, ListPart>;
  readonly written: Map<string, ListPart>;
}

/** What happened to some instances of an application. */
class PlacesSection implements Section {
  readonly #registry: Registry;
  readonly #format: Format;
  readonly #app: string;
  readonly #places: readonly Place[];
  readonly #place: SectionPlace;
  readonly #texts: Texts;
  readonly #key: string;

  constructor(
    registry: Registry,
    format: Format,
    app: string,
    places: readonly Place[],
    place: SectionPlace,
    texts: Texts,
  ) {
    this.#registry = registry;
    this.#format = format;
    this.#app = app;
    this.#places = places;
    this.#place = place;
    this.#texts = texts;
    this.#key = `${signatureOf(places)} ${place.starts} ${place.ends}`;
  }

  get size(): number {
    return this.#places.length;
  }

  known(isFirst: boolean): ListPart | undefined {
    const key = this.#keyOf(isFirst);
    const known = this.#texts.written.get(key) ?? this.#texts.known.get(key);
    if (known) this.#texts.written.set(key, known);
    return known;
  }

  write(isFirst: boolean): ListPart {
    const instances = this.#places.flatMap((place) => this.#document(place) ?? []);
    const text = sectionText(this.#format, this.#app, instances, this.#place, isFirst);
    const part = new ListPart(text);
    this.#texts.written.set(this.#keyOf(isFirst), part);
    return part;
  }

  #document({ id, last, isNew }: Place): string | undefined {
    const lease: Lease | undefined = this.#registry.find(this.#app, id);
    if (lease) return this.#format.instance(listed(lease, isNew ? 'ADDED' : 'MODIFIED'));
    return last.endedLease && this.#format.instance(ended(last.endedLease, last.changedAt));
  }

  #keyOf(isFirst: boolean): string {
    return `${this.#key} ${isFirst}`;
  }
}
