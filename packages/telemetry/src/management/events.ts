import { type Call, FlotillaError } from '@flotilla/core';
import {
  encodeComment,
  encodeEvent,
  encodeLine,
  eventStreamMediaType,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  ndjsonMediaType,
} from '@flotilla/http';

/** Port: events that can be followed. */
export interface EventFeed {
  /** The latest ones, the oldest first. */
  recent(): readonly object[];
  /** What happens from now on; undefined when as many as may follow do. */
  subscribe(): FollowedEvents | undefined;
}

export interface FollowedEvents extends AsyncIterable<object> {
  /** Events that were dropped since it was last asked, because they were not read in time. */
  takeDropped(): number;
  /** Ends the iteration. */
  close(): void;
}

/** An idle stream sends something that means nothing this often, so that nobody in between takes it for dead. */
const heartbeatMs = 15_000;

interface Format {
  readonly mediaType: string;
  encode(event: object): Uint8Array;
  readonly heartbeat: Uint8Array;
}

const eventStream: Format = {
  mediaType: eventStreamMediaType,
  encode: (event) => encodeEvent({ data: JSON.stringify(event) }),
  heartbeat: encodeComment(),
};

const lines: Format = { mediaType: ndjsonMediaType, encode: encodeLine, heartbeat: new TextEncoder().encode('\n') };

/**
 * The latest events, then what happens, until the reader leaves or the process stops. A reader that is too slow loses the
 * oldest ones and is told how many: `{"dropped":7}`.
 * @throws FlotillaError UNAVAILABLE when too many follow them already
 */
export function answerEvents(feed: EventFeed, request: HttpRequest, call: Call): HttpResponse {
  const format = (request.headers.get('accept') ?? '').includes(eventStreamMediaType) ? eventStream : lines;
  const headers = new HttpHeaders([
    ['content-type', format.mediaType],
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
  ]);
  if (request.method === 'HEAD') return { status: 200, headers, body: undefined };
  const recent = feed.recent();
  const followed = feed.subscribe();
  if (!followed) {
    throw new FlotillaError('UNAVAILABLE', 'as many readers as may follow the events do; let one go first', {
      executed: 'no',
    });
  }
  call.onCancel(() => followed.close());
  call.onEnd(() => followed.close());
  return { status: 200, headers, body: bodyOf(recent, followed, format, call) };
}

async function* bodyOf(
  recent: readonly object[],
  followed: FollowedEvents,
  format: Format,
  call: Call,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield format.heartbeat; // shows that it has begun, also when nothing happens
    for (const event of recent) yield format.encode(event);
    const events = followed[Symbol.asyncIterator]();
    let next = events.next();
    for (;;) {
      const step = await nextOrHeartbeat(next, call);
      if (step === undefined) {
        yield format.heartbeat;
        continue;
      }
      if (step.done) return;
      const dropped = followed.takeDropped();
      if (dropped > 0) yield format.encode({ dropped });
      yield format.encode(step.value);
      next = events.next();
    }
  } finally {
    followed.close();
  }
}

/** @returns undefined when nothing happened for so long. */
function nextOrHeartbeat<T>(next: Promise<T>, { clock }: Call): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(heartbeatMs, () => resolve(undefined), { background: true });
    next.then((step) => {
      timer.cancel();
      resolve(step);
    }, reject);
  });
}
