import { nextTurn } from '@flotilla/registry/server';
import type { Format, ListFacts } from '../formats.ts';
import type { ApplicationsIndex } from './applications-index.ts';
import { type ListPart, ListRun, SharedList, TextPart } from './shared-list.ts';

/** Some instances in a list. What stands around sections is the same everywhere: the form's separator. */
export interface Section {
  /** By which it is kept. */
  readonly key: string;
  /** Where it is kept, until one of the instances changes. */
  readonly written: Map<string, TextPart>;
  /** Instances in it. */
  readonly size: number;
  /** Takes what is in it at this moment. @returns writes that, now or later */
  capture(): () => string;
}

/** Sections that are kept as one part, until one of them changes. */
export interface ListChunk {
  readonly key: string;
  readonly written: Map<string, ListRun>;
  /** What is in it at this moment. */
  sections(): Section[];
}

/** How a list is written. */
export interface ListPlan {
  readonly format: Format;
  /** Readers want it compressed. */
  readonly packed: boolean;
  readonly index: ApplicationsIndex;
  /** Monotonic: when it was asked for. */
  readonly now: number;
  /** What is in it at this moment. */
  readonly chunks: () => ListChunk[];
  /** What it says of itself at this moment. */
  readonly facts: () => ListFacts;
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
): string {
  const head = starts ? format.applicationHead(app) : '';
  return `${head}${instances.join(format.separator)}${ends ? format.applicationTail : ''}`;
}

/**
 * Writes a list of one moment, in slices. All that is not written yet is written while the registry goes on changing; what
 * changed in this time is then taken as it is at one moment, and written after it.
 */
export async function writeList(plan: ListPlan): Promise<SharedList> {
  const { index, now, chunks, facts, format, packed } = plan;
  const work = new SlicedWork();
  while (!index.catchUp(now)) await index.advance(now);
  for (const chunk of chunks()) {
    const one = take(chunk, packed, (section) => () => section.capture()());
    if (!(one instanceof ListRun)) await joinUp(one, plan, work);
  }
  while (!index.catchUp(now)) await index.advance(now);
  const taken = chunks().map((chunk) => take(chunk, packed, (section) => section.capture()));
  const said = facts();
  const runs: ListRun[] = [];
  for (const one of taken) {
    const run = one instanceof ListRun ? one : await joinUp(one, plan, work);
    if (run.length > 0) runs.push(run);
  }
  const separator = separatorOf(format);
  const between = (run: ListRun, n: number): ListPart[] => (n > 0 && separator ? [separator, run] : [run]);
  return new SharedList([
    new TextPart(format.listHead(said)),
    ...runs.flatMap(between),
    new TextPart(format.listTail(said)),
  ]);
}

/** A chunk at one moment. */
interface TakenChunk {
  readonly chunk: ListChunk;
  readonly sections: readonly TakenSection[];
}

interface TakenSection {
  readonly section: Section;
  /** As it was written, or what writes it. */
  readonly text: TextPart | (() => string);
}

function take(
  chunk: ListChunk,
  packed: boolean,
  textOf: (section: Section) => TakenSection['text'],
): ListRun | TakenChunk {
  const kept = chunk.written.get(chunk.key);
  if (kept && isKept(chunk, packed)) return kept;
  const sections = chunk.sections().map((section) => {
    return { section, text: section.written.get(section.key) ?? textOf(section) };
  });
  return { chunk, sections };
}

async function joinUp({ chunk, sections }: TakenChunk, plan: ListPlan, work: SlicedWork): Promise<ListRun> {
  const { format, packed } = plan;
  const parts: TextPart[] = [];
  for (const taken of sections) {
    parts.push(writtenOf(taken, packed));
    if (work.did(typeof taken.text === 'function' ? taken.section.size : joinCost)) await nextTurn();
  }
  const run = new ListRun(parts, separatorOf(format));
  if (packed) run.packed();
  chunk.written.set(chunk.key, run);
  return run;
}

function writtenOf({ section, text }: TakenSection, packed: boolean): TextPart {
  const part = typeof text === 'function' ? new TextPart(text()) : text;
  if (packed) part.packed();
  if (part !== text) section.written.set(section.key, part);
  return part;
}

function isKept({ key, written }: ListChunk | Section, packed: boolean): boolean {
  const kept = written.get(key);
  return kept !== undefined && (kept.isPacked || !packed);
}

/** A form's separator, once for all lists; undefined: it has none. */
function separatorOf({ separator }: Format): TextPart | undefined {
  if (separator === '') return undefined;
  const known = separators.get(separator) ?? new TextPart(separator);
  separators.set(separator, known);
  return known;
}

const separators = new Map<string, TextPart>();

/** Instances that are written, and compressed, between two turns of the event loop: two or three milliseconds of work. */
const instancesPerTurn = 60;
/** What joining a section that is written costs, in instances written. */
const joinCost = 0.1;

/** Counts what was done in this turn of the event loop. */
class SlicedWork {
  #done = 0;

  /** @param instances that were written @returns that was enough for this turn */
  did(instances: number): boolean {
    this.#done += instances;
    if (this.#done < instancesPerTurn) return false;
    this.#done = 0;
    return true;
  }
}
