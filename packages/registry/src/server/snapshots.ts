import { formatTarget, type Target } from '@flotilla/core';
import { formatCursor } from '../cursor.ts';
import { instanceText } from '../instance-text.ts';
import type { Registry } from './registry.ts';

interface Snapshot {
  readonly state: string;
  readonly text: string;
}

/** Snapshots kept; one for each target that many watchers ask for at a time. */
const mostKept = 64;
const longestKept = 4_194_304;

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

  #keep(key: string, snapshot: Snapshot): void {
    if (this.#kept.size >= mostKept) this.#kept.clear();
    if (snapshot.text.length <= longestKept) this.#kept.set(key, snapshot);
  }
}
