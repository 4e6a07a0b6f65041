import type { InstanceKey } from '@flotilla/registry';

/** What has to be told a peer. `override`: whatever an operator's word is when it is sent, also that there is none. */
export type TaskKind = 'register' | 'heartbeat' | 'cancel' | 'override';

export interface Task {
  readonly kind: TaskKind;
  readonly key: InstanceKey;
  /** The incarnation that ended; of `cancel` alone. */
  readonly incarnation?: number;
  /** Monotonic; it is not worth sending afterwards. */
  readonly expiresAt: number;
}

interface Queued {
  readonly task: Task;
  /** Monotonic. */
  readonly queuedAt: number;
}

/** What is lost of what was to be told. */
export interface Lost {
  readonly expired: number;
  readonly overflowed: number;
}

/**
 * What one peer has to be told yet, bounded. One task of a kind for an instance: a newer one takes the place of the one
 * that waits (`AcceptorExecutor`). Changes keep their order and go before renewals, and push renewals out when the queue
 * is full: a renewal comes again by itself. Who leaves needs no other task any more.
 */
export class TaskQueue {
  readonly #capacity: number;
  readonly #changes = new Map<string, Queued>();
  readonly #renewals = new Map<string, Queued>();
  #expired = 0;
  #overflowed = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#changes.size + this.#renewals.size;
  }

  get lost(): Lost {
    return { expired: this.#expired, overflowed: this.#overflowed };
  }

  /** Since when the first change, and the first renewal, waits (monotonic); undefined: none does. */
  get waitingSince(): { readonly change: number | undefined; readonly renewal: number | undefined } {
    return { change: firstOf(this.#changes)?.queuedAt, renewal: firstOf(this.#renewals)?.queuedAt };
  }

  offer(task: Task, now: number): void {
    const queue = this.#queueOf(task);
    const id = idOf(task);
    if (task.kind === 'cancel') this.#drop(task.key);
    const waiting = queue.get(id);
    if (!waiting && this.size >= this.#capacity && !this.#makeRoom(task)) return;
    queue.set(id, { task, queuedAt: waiting?.queuedAt ?? now });
  }

  /** The next tasks, which are in the caller's hands from now on. */
  take(most: number, now: number): Task[] {
    const taken: Task[] = [];
    for (const queue of [this.#changes, this.#renewals]) {
      for (const [id, { task }] of queue) {
        if (taken.length >= most) return taken;
        queue.delete(id);
        if (task.expiresAt <= now) this.#expired++;
        else taken.push(task);
      }
    }
    return taken;
  }

  /** Puts tasks that did not arrive before all others, except where they are superseded or the queue is full. */
  putBack(tasks: readonly Task[], now: number): void {
    const before = { changes: [...this.#changes], renewals: [...this.#renewals] };
    const waiting = new Set([...this.#changes.keys(), ...this.#renewals.keys()]);
    this.clear();
    for (const task of tasks) {
      const superseded = waiting.has(idOf(task)) || waiting.has(idOf({ kind: 'cancel', key: task.key }));
      if (superseded) continue;
      if (task.expiresAt <= now) this.#expired++;
      else if (waiting.size + this.size >= this.#capacity) this.#overflowed++;
      else this.#queueOf(task).set(idOf(task), { task, queuedAt: now });
    }
    for (const [id, queued] of before.changes) this.#changes.set(id, queued);
    for (const [id, queued] of before.renewals) this.#renewals.set(id, queued);
  }

  clear(): void {
    this.#changes.clear();
    this.#renewals.clear();
  }

  #drop(key: InstanceKey): void {
    for (const kind of ['register', 'override'] as const) this.#changes.delete(idOf({ kind, key }));
    this.#renewals.delete(idOf({ kind: 'heartbeat', key }));
  }

  /** @returns whether there is room for `task` now. */
  #makeRoom({ kind }: Task): boolean {
    this.#overflowed++;
    if (kind === 'heartbeat') return false;
    const queue = this.#renewals.size > 0 ? this.#renewals : this.#changes;
    for (const id of queue.keys()) {
      queue.delete(id);
      break;
    }
    return true;
  }

  #queueOf({ kind }: Task): Map<string, Queued> {
    return kind === 'heartbeat' ? this.#renewals : this.#changes;
  }
}

function idOf({ kind, key }: Pick<Task, 'kind' | 'key'>): string {
  return `${kind}\n${nameOf(key)}`;
}

function nameOf({ service, id }: InstanceKey): string {
  return `${service}\n${id}`;
}

function firstOf(queue: ReadonlyMap<string, Queued>): Queued | undefined {
  for (const queued of queue.values()) return queued;
  return undefined;
}
