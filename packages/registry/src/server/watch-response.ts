import { isDeepStrictEqual } from 'node:util';
import type { Call, Instance, Target, Timer } from '@flotilla/core';
import { encodeComment, encodeEvent, HttpHeaders, type HttpResponse } from '@flotilla/http';
import { formatCursor } from '../cursor.ts';
import { instanceText } from '../instance-text.ts';
import { type Change, type GoneReason, matches, type SeenChange, seenBy } from '../lease/change.ts';
import { watchField } from '../watch-field.ts';
import type { Registry } from './registry.ts';
import type { Snapshots } from './snapshots.ts';
import type { WatchEvent, Watcher } from './watch.ts';

/** A connection without news carries a comment this often, ± {@link heartbeatJitter}, so that both ends know that it lives. */
export const heartbeatMs = 15_000;
const heartbeatJitter = 0.2;

/** What a {@link watchResponse} is made of. */
export interface WatchParts {
  readonly registry: Registry;
  readonly snapshots: Snapshots;
  readonly watcher: Watcher;
  readonly call: Call;
  readonly form: ChangeForm;
  /** The id by which its reader speaks of the watch. */
  readonly watch: string;
}

/** `compact`: a change of an instance that the reader knows tells only what changed. */
export type ChangeForm = 'full' | 'compact';

/**
 * A watch as server-sent events (WHATWG HTML §9.2). The id of each event is the cursor up to which the reader then
 * knows the registry; sent back as `last-event-id` or `?cursor=` it goes on from there.
 *
 * | event | data |
 * |---|---|
 * | `snapshot` | `{"cursor","warming","instances":[…]}`: the whole list; replaces what was known |
 * | `change` | `{"kind":"put","instance":{…}}` or `{"kind":"gone","service","id","reason"}`; in the compact form also `{"kind":"patch","service","id","set":{…},"unset":[…]}` |
 *
 * The first line is a comment, so that the reader knows at once that it is connected.
 */
export function watchResponse(parts: WatchParts): HttpResponse {
  const { watcher, call, watch } = parts;
  // Also when nobody ever reads the body, and when its reader goes while it waits.
  call.onEnd(() => watcher.close());
  call.onCancel(() => watcher.close());
  const headers = new HttpHeaders([
    ['content-type', 'text/event-stream'],
    ['cache-control', 'no-store'],
    ['x-accel-buffering', 'no'], // nginx would hold events back
    [watchField, watch],
  ]);
  return { status: 200, headers, body: new WatchEvents(parts) };
}

/**
 * The events of one watch. An iterator of its own, not a generator: one change is told to a thousand watchers at a time, and
 * a generator goes several more times through the queue of microtasks for each.
 */
class WatchEvents implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #parts: WatchParts;
  #isBegun = false;
  /** When something was sent last, and what wakes the watch when that was too long ago. */
  #sentAt: number;
  #timer: Timer | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#sentAt = parts.call.clock.now();
    parts.watcher.onClose(() => this.#timer?.cancel());
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { watcher, registry } = this.#parts;
    if (this.#isBegun) return watcher.wait().then(this.#take);
    this.#isBegun = true;
    this.#armHeartbeat(this.#heartbeatMs());
    return Promise.resolve({ done: false, value: encodeComment(`registry ${registry.epoch}`) });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#parts.watcher.close();
    return Promise.resolve(ended);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #take = (): IteratorResult<Uint8Array, undefined> | Promise<IteratorResult<Uint8Array, undefined>> => {
    const { watcher, call } = this.#parts;
    const taken = watcher.take();
    if (!taken) return ended;
    const [event] = taken;
    const value = !event ? heartbeat : taken.length === 1 ? frameOf(event, this.#parts) : framesOf(taken, this.#parts);
    // What the target does not concern is no wake-up for nothing.
    if (!value) return this.next();
    this.#sentAt = call.clock.now();
    return { done: false, value };
  };

  /** Set anew when it fires, not with each event: nearly always something was sent since. */
  #armHeartbeat(everyMs: number, inMs = everyMs): void {
    const { watcher, call } = this.#parts;
    if (watcher.isClosed) return;
    const fire = (): void => {
      const leftMs = this.#sentAt + everyMs - call.clock.now();
      if (leftMs > 0) {
        this.#armHeartbeat(everyMs, leftMs);
        return;
      }
      this.#sentAt = call.clock.now(); // also while its reader takes nothing: one at a time is enough
      watcher.wake();
      this.#armHeartbeat(this.#heartbeatMs());
    };
    this.#timer = call.clock.setTimer(inMs, fire, { background: true });
  }

  #heartbeatMs(): number {
    return heartbeatMs * (1 - heartbeatJitter + 2 * heartbeatJitter * this.#parts.call.random());
  }
}

const heartbeat = encodeComment('alive');
const ended: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

function framesOf(events: readonly WatchEvent[], parts: WatchParts): Uint8Array | undefined {
  const frames = events.flatMap((event) => frameOf(event, parts) ?? []);
  return frames.length > 0 ? Buffer.concat(frames) : undefined;
}

function frameOf(
  event: WatchEvent,
  { registry, snapshots, watcher, form }: Pick<WatchParts, 'registry' | 'snapshots' | 'watcher' | 'form'>,
): Uint8Array | undefined {
  const { target } = watcher;
  if (event.kind === 'snapshot') {
    return encodeEvent({ event: 'snapshot', id: formatCursor(registry.cursor), data: snapshots.text(target) });
  }
  const seen = seenBy(target, event.change);
  return seen && changeFrame(event.change, seen, wayOf(event.change, seen, target, form), registry.cursor.epoch);
}

/** Ways in which watchers see one change: as a put, a patch or a gone. Each is written once for all of them. */
type Way = 'put' | 'patch' | GoneReason;
const frames = new WeakMap<Change, Map<Way, Uint8Array>>();
const texts = new WeakMap<Change, Map<Way, string>>();

function changeFrame(change: Change, seen: SeenChange, way: Way, epoch: string): Uint8Array {
  return written(frames, change, way, () => {
    const id = formatCursor({ epoch, revision: change.revision });
    return encodeEvent({ event: 'change', id, data: textOf(change, seen, way) });
  });
}

/** A change as its reader gets it. */
export function changeText(change: Change, seen: SeenChange, target: Target | undefined, form: ChangeForm): string {
  const way = wayOf(change, seen, target, form);
  return written(texts, change, way, () => textOf(change, seen, way));
}

function written<T>(kept: WeakMap<Change, Map<Way, T>>, change: Change, way: Way, write: () => T): T {
  const ways = kept.get(change) ?? new Map<Way, T>();
  kept.set(change, ways);
  const known = ways.get(way);
  if (known !== undefined) return known;
  const made = write();
  ways.set(way, made);
  return made;
}

/** A patch is for who knows the instance as it was before: who follows, and to whom it was listed. */
function wayOf({ before }: Change, seen: SeenChange, target: Target | undefined, form: ChangeForm): Way {
  if (seen.kind === 'gone') return seen.reason;
  return form === 'compact' && before !== undefined && matches(target, before) ? 'patch' : 'put';
}

function textOf({ service, id, before }: Change, seen: SeenChange, way: Way): string {
  if (seen.kind === 'gone') return JSON.stringify(seen);
  if (way !== 'patch' || !before) return `{"kind":"put","instance":${instanceText(seen.instance)}}`;
  return JSON.stringify({ kind: 'patch', service, id, ...patchOf(before, seen.instance) });
}

/** The members of `after` that are not as `before`, and those that are not there any more. */
export function patchOf(
  before: Instance,
  after: Instance,
): { readonly set: Partial<Instance>; readonly unset?: readonly string[] } {
  const set = Object.entries(after).filter(
    ([name, value]) => value !== undefined && !isDeepStrictEqual(value, before[name as keyof Instance]),
  );
  const unset = Object.keys(before).filter((name) => after[name as keyof Instance] === undefined);
  return { set: Object.fromEntries(set), ...(unset.length > 0 ? { unset } : undefined) };
}
