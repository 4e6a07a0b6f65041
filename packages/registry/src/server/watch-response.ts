import { isDeepStrictEqual } from 'node:util';
import type { Call, Instance, Target } from '@flotilla/core';
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
  return { status: 200, headers, body: events(parts) };
}

async function* events({ registry, snapshots, watcher, form, call }: WatchParts): AsyncGenerator<Uint8Array, void> {
  const heartbeat = encodeComment('alive');
  try {
    yield encodeComment(`registry ${registry.epoch}`);
    for (;;) {
      const jitter = 1 - heartbeatJitter + 2 * heartbeatJitter * call.random();
      const timer = call.clock.setTimer(heartbeatMs * jitter, () => watcher.wake(), { background: true });
      await watcher.wait();
      timer.cancel();
      const taken = watcher.take();
      if (!taken) return;
      const frames = taken.flatMap((event) => frameOf(event, { registry, snapshots, watcher, form }) ?? []);
      // What the target does not concern still gives a sign of life now and then, never a wake-up for nothing.
      if (frames.length > 0) yield Buffer.concat(frames);
      else if (taken.length === 0) yield heartbeat;
    }
  } finally {
    watcher.close();
  }
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
