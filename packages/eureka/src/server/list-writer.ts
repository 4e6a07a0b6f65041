import { nextTurn } from '@flotilla/registry/server';
import type { EurekaAction } from '../document.ts';
import type { Format, ListFacts } from '../formats.ts';
import type { ApplicationEntry, ApplicationsIndex, Segment } from './applications-index.ts';
import { listed } from './listing.ts';
import { ListPart, SharedList } from './shared-list.ts';

/** Some instances in a list: text that is there already, or has to be written. */
export interface Section {
  /** Instances in it. */
  readonly size: number;
  /** What was written of it. @param isFirst nothing stands before it. */
  known(isFirst: boolean): ListPart | undefined;
  write(isFirst: boolean): ListPart;
}

/** As what instances are written. */
export interface Actions {
  /** Two with one key are the same. */
  readonly key: string;
  of(id: string): EurekaAction | undefined;
}

/** Each as what happened to it last. */
const ownActions: Actions = Object.freeze({ key: '', of: () => undefined });

/**
 * Everybody of an application, segment by segment.
 * @param started something stands before them in the application already.
 */
export function wholeApplication(
  index: ApplicationsIndex,
  application: ApplicationEntry,
  format: Format,
  actionsOf: (segment: Segment) => Actions = () => ownActions,
  started = false,
): Section[] {
  const segments = application.filled();
  return segments.map((segment, position) => {
    const place = { starts: position === 0 && !started, ends: position === segments.length - 1 };
    return new SegmentSection(segment, place, { index, application, format, actions: actionsOf(segment) });
  });
}

/** Where a section stands in its application. */
export interface SectionPlace {
  readonly starts: boolean;
  readonly ends: boolean;
}

/** The text of a section, with what stands around these instances. */
export function sectionText(
  format: Format,
  app: string,
  instances: readonly string[],
  { starts, ends }: SectionPlace,
  isFirst: boolean,
): string {
  const before = isFirst ? '' : format.separator;
  const head = starts ? format.applicationHead(app) : '';
  return `${before}${head}${instances.join(format.separator)}${ends ? format.applicationTail : ''}`;
}

interface Writing {
  readonly index: ApplicationsIndex;
  readonly application: ApplicationEntry;
  readonly format: Format;
  readonly actions: Actions;
}

class SegmentSection implements Section {
  readonly #segment: Segment;
  readonly #place: SectionPlace;
  readonly #writing: Writing;

  constructor(segment: Segment, place: SectionPlace, writing: Writing) {
    this.#segment = segment;
    this.#place = place;
    this.#writing = writing;
  }

  get size(): number {
    return this.#segment.statuses.size;
  }

  known(isFirst: boolean): ListPart | undefined {
    return this.#segment.written.get(this.#keyOf(isFirst));
  }

  write(isFirst: boolean): ListPart {
    const { format, application, index, actions } = this.#writing;
    const instances: string[] = [];
    for (const id of this.#segment.statuses.keys()) {
      const lease = index.lease(application, id);
      if (lease) instances.push(format.instance(listed(lease, actions.of(id))));
    }
    const part = new ListPart(sectionText(format, application.name, instances, this.#place, isFirst));
    this.#segment.written.set(this.#keyOf(isFirst), part);
    return part;
  }

  /** Begins with the name of the form: see `ApplicationsIndex.forget`. */
  #keyOf(isFirst: boolean): string {
    const { starts, ends } = this.#place;
    const { format, actions } = this.#writing;
    return `${format.name} ${actions.key} ${starts} ${ends} ${isFirst}`;
  }
}

/** How a list is written. */
export interface ListPlan {
  readonly index: ApplicationsIndex;
  readonly format: Format;
  /** Readers want it compressed. */
  readonly packed: boolean;
  /** What is in it now; asked again after each slice of work. */
  readonly sections: () => Section[];
  /** What it says of itself, at the moment at which it is put together. */
  readonly facts: () => ListFacts;
}

/** Instances that are written, and compressed, between two turns of the event loop: two or three milliseconds of work. */
const instancesPerTurn = 60;
/** So little is left that it is written within the turn in which a list is put together. */
const mostLeft = 200;
/** A registry that changes faster than it is written is written at one go at last. */
const mostPasses = 8;

/** Writes in slices, until so little is left that a list of one moment can be put together within one turn. */
export async function writeList(plan: ListPlan): Promise<SharedList> {
  const { index, packed } = plan;
  for (let pass = 1; ; pass++) {
    while (!index.catchUp()) await index.make();
    const sections = plan.sections();
    const unwritten = sections.map((section, n) => costOf(section, n === 0, packed));
    const rest = unwritten.reduce((sum, cost) => sum + cost, 0);
    if (rest <= mostLeft || pass === mostPasses) return putTogether(plan, sections);
    let done = 0;
    for (const [n, section] of sections.entries()) {
      const cost = unwritten[n] ?? 0;
      if (cost === 0) continue;
      writeSection(section, n === 0, packed);
      done += cost;
      if (done < instancesPerTurn) continue;
      done = 0;
      await nextTurn();
    }
  }
}

function putTogether({ format, packed, facts }: ListPlan, sections: readonly Section[]): SharedList {
  const said = facts();
  const parts = [new ListPart(format.listHead(said))];
  for (const [n, section] of sections.entries()) parts.push(writeSection(section, n === 0, packed));
  const tail = format.listTail(said);
  if (tail !== '') parts.push(new ListPart(tail));
  return new SharedList(parts);
}

function costOf(section: Section, isFirst: boolean, packed: boolean): number {
  const known = section.known(isFirst);
  return known && (known.isPacked || !packed) ? 0 : section.size;
}

function writeSection(section: Section, isFirst: boolean, packed: boolean): ListPart {
  const part = section.known(isFirst) ?? section.write(isFirst);
  if (packed) part.packed();
  return part;
}
