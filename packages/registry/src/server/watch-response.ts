import type { Call, Target } from '@flotilla/core';
import { encodeComment, encodeEvent, HttpHeaders, type HttpResponse } from '@flotilla/http';
import { formatCursor } from '../cursor.ts';
import { instanceText } from '../instance-text.ts';
import { type Change, type SeenChange, seenBy } from '../lease/change.ts';
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
}

/**
 * A watch as server-sent events (WHATWG HTML §9.2). The id of each event is the cursor up to which the reader then
 * knows the registry; sent back as `last-event-id` or `?cursor=` it goes on from there.
 *
 * | event | data |
 * |---|---|
 * | `snapshot` | `{"cursor","warming","instances":[…]}`: the whole list; replaces what was known |
 * | `change` | `{"kind":"put","instance":{…}}` or `{"kind":"gone","service","id","reason"}` |
 *
 * The first line is a comment, so that the reader knows at once that it is connected.
 */
export function watchResponse(parts: WatchParts): HttpResponse {
  const { watcher, call } = parts;
  // Also when nobody ever reads the body, and when its reader goes while it waits.
  call.onEnd(() => watcher.close());
  call.onCancel(() => watcher.close());
  const headers = new HttpHeaders([
    ['content-type', 'text/event-stream'],
    ['cache-control', 'no-store'],
    ['x-accel-buffering', 'no'], // nginx would hold events back
  ]);
  return { status: 200, headers, body: events(parts) };
}

async function* events({ registry, snapshots, watcher, call }: WatchParts): AsyncGenerator<Uint8Array, void> {
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
      const frames = taken.flatMap((event) => frameOf(event, watcher.target, registry, snapshots) ?? []);
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
  target: Target | undefined,
  registry: Registry,
  snapshots: Snapshots,
): Uint8Array | undefined {
  if (event.kind === 'snapshot') {
    return encodeEvent({ event: 'snapshot', id: formatCursor(registry.cursor), data: snapshots.text(target) });
  }
  const seen = seenBy(target, event.change);
  return seen && changeFrame(event.change, seen, registry.epoch);
}

/** Two ways in which watchers see one change: as a put or as a gone. Each is written once for all of them. */
const frames = new WeakMap<Change, Map<string, Uint8Array>>();

function changeFrame(change: Change, seen: SeenChange, epoch: string): Uint8Array {
  const ways = frames.get(change) ?? new Map<string, Uint8Array>();
  frames.set(change, ways);
  const way = seen.kind === 'put' ? 'put' : seen.reason;
  const known = ways.get(way);
  if (known) return known;
  const id = formatCursor({ epoch, revision: change.revision });
  const frame = encodeEvent({ event: 'change', id, data: changeText(seen) });
  ways.set(way, frame);
  return frame;
}

function changeText(seen: SeenChange): string {
  return seen.kind === 'put' ? `{"kind":"put","instance":${instanceText(seen.instance)}}` : JSON.stringify(seen);
}
