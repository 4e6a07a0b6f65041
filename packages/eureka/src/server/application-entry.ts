import type { Change } from '@flotilla/registry';
import type { EurekaStatus } from '../document.ts';
import type { TextPart } from './shared-list.ts';

/** The last that became of an id among the instances of an application, lately. */
export interface Recent {
  readonly application: ApplicationEntry;
  readonly id: string;
  readonly last: Change;
  /** It came, and nothing else is known to have happened to it. */
  readonly isNew: boolean;
}

/** Texts by how they were written. A change puts new maps here: what is still being written goes into the old ones. */
export interface Written<Part> {
  /** For lists of everybody. */
  full: Map<string, Part>;
  /** For deltas. */
  delta: Map<string, Part>;
}

/** Some instances of an application, and what was written of them. */
export interface Segment {
  /** Of those that are listed. */
  readonly statuses: Map<string, EurekaStatus>;
  /** Of those that changed lately, in the order of their last changes. */
  readonly recent: Map<string, Recent>;
  readonly written: Written<TextPart>;
}

/** An application in several segments from this size on, so that a change rewrites one of them. */
const mostPerSegment = 128;

/** One application: its instances by a hash of their ids. */
export class ApplicationEntry {
  readonly name: string;
  segments: readonly Segment[] = [newSegment()];
  /** Ids that are listed, changed lately, or both. */
  #ids = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Nothing is known of any id. */
  get isEmpty(): boolean {
    return this.#ids === 0;
  }

  /** What is listed of an id; undefined: nothing. @returns the same of before */
  list(id: string, status: EurekaStatus | undefined): EurekaStatus | undefined {
    const segment = this.#segmentOf(id);
    const { statuses, recent } = segment;
    const before = statuses.get(id);
    segment.written.full = new Map();
    segment.written.delta = new Map();
    if (status) statuses.set(id, status);
    else statuses.delete(id);
    if (!recent.has(id)) this.#counted(before !== undefined, status !== undefined);
    return before;
  }

  recent(id: string): Recent | undefined {
    return this.#segmentOf(id).recent.get(id);
  }

  /** Takes what became of an id lately; undefined: nothing any more. */
  note(id: string, entry: Recent | undefined): void {
    const segment = this.#segmentOf(id);
    const { statuses, recent } = segment;
    segment.written.delta = new Map();
    const before = recent.delete(id);
    if (entry) recent.set(id, entry);
    if (!statuses.has(id)) this.#counted(before, entry !== undefined);
  }

  #segmentOf(id: string): Segment {
    const { length } = this.segments;
    return this.segments[length === 1 ? 0 : hashOf(id) % length] as Segment;
  }

  #counted(before: boolean, after: boolean): void {
    this.#ids += Number(after) - Number(before);
    if (this.#ids > mostPerSegment * this.segments.length) this.#split();
  }

  #split(): void {
    const before = this.segments;
    this.segments = Array.from({ length: 2 * before.length }, newSegment);
    for (const { statuses, recent } of before) {
      for (const [id, status] of statuses) this.#segmentOf(id).statuses.set(id, status);
      for (const [id, entry] of recent) this.#segmentOf(id).recent.set(id, entry);
    }
  }
}

function newSegment(): Segment {
  return { statuses: new Map(), recent: new Map(), written: newWritten() };
}

export function newWritten<Part>(): Written<Part> {
  return { full: new Map(), delta: new Map() };
}

/** FNV-1a. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
