import { formatTarget, type Target } from '@flotilla/core';
import { formatCursor } from '../cursor.ts';
import { nextTurn } from '../engines/next-turn.ts';
import { instanceText } from '../instance-text.ts';
import type { Registry } from './registry.ts';

interface Snapshot {
  readonly state: string;
  readonly text: string;
}

/** Snapshots kept; one for each target that many watchers ask for at a time. */
const mostKept = 64;
const longestKept = 4_194_304;

/** Some milliseconds of work. */
const instancesPerPiece = 500;
/** Up to this many instances a list of everybody is written at one go, once for all who ask. */
const mostAtOnce = 5_000;

/**
 * Lists as JSON, `{"cursor":…,"warming":…,"instances":[…]}`, written once for everybody who asks between two changes:
 * after a restart the whole fleet asks at the same time.
 */
export class Snapshots {
  readonly #registry: Registry;
  readonly #kept = new Map<string, Snapshot>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  text(target: Target | undefined): string {
    const { cursor, warming } = this.#registry;
    const state = `${formatCursor(cursor)} ${warming}`;
    const key = target ? formatTarget(target) : '';
    const known = this.#kept.get(key);
    if (known?.state === state) return known.text;
    const instances = Array.from(this.#registry.list(target), ({ instance }) => instanceText(instance));
    const text = `{"cursor":"${formatCursor(cursor)}","warming":${warming},"instances":[${instances.join(',')}]}`;
    this.#keep(key, { state, text });
    return text;
  }

  /** As the body of an answer: a large list of everybody as a stream. */
  body(target: Target | undefined): Uint8Array | AsyncIterable<Uint8Array> {
    if (target === undefined && this.#registry.size > mostAtOnce) return this.#pieces();
    return Buffer.from(this.text(target));
  }

  /**
   * The same for everybody, in pieces that are written while they are sent: a large registry goes on meanwhile. What
   * changes from the cursor on may be in it already; whoever follows from there is told again, and ends up right.
   */
  async *#pieces(): AsyncGenerator<Uint8Array, undefined> {
    const { cursor, warming } = this.#registry;
    let texts: string[] = [];
    let before = `{"cursor":"${formatCursor(cursor)}","warming":${warming},"instances":[`;
    for (const { instance } of this.#registry.list()) {
      if (texts.push(instanceText(instance)) < instancesPerPiece) continue;
      yield Buffer.from(`${before}${texts.join(',')}`);
      before = ',';
      texts = [];
      await nextTurn();
    }
    const isNothingLeft = texts.length === 0 && before === ',';
    yield Buffer.from(isNothingLeft ? ']}' : `${before}${texts.join(',')}]}`);
  }

  #keep(key: string, snapshot: Snapshot): void {
    if (this.#kept.size >= mostKept) this.#kept.clear();
    if (snapshot.text.length <= longestKept) this.#kept.set(key, snapshot);
  }
}
