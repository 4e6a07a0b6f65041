import { FlotillaError, formatIdentity } from '@flotilla/core';
import { parseCursor } from '../cursor.ts';
import { isLeaving } from '../is-leaving.ts';
import type { SeenChange } from '../lease/change.ts';
import {
  keyOf,
  type LeftOut,
  patched,
  type ReadSnapshot,
  readChange,
  readNews,
  readSnapshot,
  type SeenPatch,
} from './answers.ts';
import { applyChange, applySnapshot, differs, type LiveSet } from './live-set.ts';

/** What a {@link FollowedList} tells. */
export interface FollowedListParts {
  /** Callers see a difference. */
  readonly changed: (next: LiveSet) => void;
  readonly leftOut: (facts: LeftOut) => void;
}

/** What is known of one target, and up to where, whatever way it comes in. */
export class FollowedList {
  readonly #parts: FollowedListParts;
  #known: LiveSet | undefined;
  #cursor: string | undefined;
  #owed = false;
  /** Who was left out of the list, so that news of it are no surprise. */
  #unusable = new Set<string>();

  constructor(parts: FollowedListParts) {
    this.#parts = parts;
  }

  get known(): LiveSet | undefined {
    return this.#known;
  }

  /** Where the registry is to go on from; undefined: from the beginning. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  get revision(): number | undefined {
    return this.#cursor === undefined ? undefined : parseCursor(this.#cursor)?.revision;
  }

  /** What is known stays, and is asked for anew. */
  forgetCursor(): void {
    this.#cursor = undefined;
  }

  /** @returns whether somebody waits for the registry to hear that we know what came in since the last time. */
  takeOwed(): boolean {
    const owed = this.#owed;
    this.#owed = false;
    return owed;
  }

  /** A whole list. @throws FlotillaError BAD_RESPONSE */
  takeList(text: Uint8Array): void {
    this.#replace(readSnapshot(text, this.#parts.leftOut));
  }

  /** An event of a push; others than those of the protocol are a newer registry's. @throws FlotillaError BAD_RESPONSE */
  takeEvent(event: string, data: string, id: string): void {
    if (event === 'snapshot') this.#replace(readSnapshot(data, this.#parts.leftOut));
    if (event === 'change') this.#change(data);
    if (id !== '') this.#cursor = id;
  }

  /** The answer to a long poll. @returns what the registry calls our watch. @throws FlotillaError BAD_RESPONSE */
  takeNews(body: Uint8Array): string {
    const { watch, cursor, snapshot, changes } = readNews(body);
    if (snapshot !== undefined) this.#replace(readSnapshot(snapshot, this.#parts.leftOut));
    else for (const change of changes) this.#change(change);
    this.#cursor = cursor;
    return watch;
  }

  #replace(snapshot: ReadSnapshot): void {
    this.#unusable = new Set(snapshot.unusable);
    this.#update(applySnapshot(this.#known, snapshot));
    if (snapshot.instances.some(isLeaving)) this.#owed = true;
  }

  #change(json: string | object): void {
    if (!this.#known) return;
    let usable = true;
    const leftOut = (facts: LeftOut): void => {
      usable = false;
      this.#parts.leftOut(facts);
    };
    const read = readChange(json, leftOut);
    const change = read?.kind === 'patch' ? this.#whole(read, this.#known, leftOut) : read;
    if (!change) return;
    if (usable) this.#unusable.delete(keyOfChange(change));
    else this.#unusable.add(keyOfChange(change));
    this.#update(applyChange(this.#known, change));
    if (change.kind === 'put' && isLeaving(change.instance)) this.#owed = true;
  }

  /**
   * A patch as the change that it stands for.
   * @returns undefined for who was left out and stays so.
   * @throws FlotillaError BAD_RESPONSE when it is about somebody whom we do not know: a snapshot is needed
   */
  #whole(patch: SeenPatch, known: LiveSet, leftOut: (facts: LeftOut) => void): SeenChange | undefined {
    const { key, set } = patch;
    const before = known.instances.get(key);
    if (before) {
      const after = patched(before, patch, leftOut);
      const service = formatIdentity(before.identity);
      return after ? { kind: 'put', instance: after } : { kind: 'gone', service, id: before.id, reason: 'changed' };
    }
    if (this.#unusable.has(key) && Object.keys(set).every((name) => harmless.has(name))) return undefined;
    throw new FlotillaError('BAD_RESPONSE', 'the registry told what changed of an instance that it never named');
  }

  #update(next: LiveSet): void {
    const isNew = differs(this.#known, next);
    this.#known = next;
    if (isNew) this.#parts.changed(next);
  }
}

/** What may change of an instance that cannot be used without making it usable. */
const harmless: ReadonlySet<string> = new Set(['status', 'override', 'incarnation', 'revision', 'weight']);

function keyOfChange(change: SeenChange): string {
  if (change.kind === 'gone') return keyOf(change.service, change.id);
  return keyOf(formatIdentity(change.instance.identity), change.instance.id);
}
