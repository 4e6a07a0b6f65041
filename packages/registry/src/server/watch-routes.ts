import { type Call, FlotillaError } from '@flotilla/core';
import type { HttpHandler, HttpResponse, RouteSpec } from '@flotilla/http';
import { formatCursor } from '../cursor.ts';
import { seenBy } from '../lease/change.ts';
import type { Reader, ReaderPart } from './audience.ts';
import { assertMaySpeakFor, type GuardedHandler, type GuardedRequest } from './guard.ts';
import type { Registry } from './registry.ts';
import {
  emptyResponse,
  identityParameters,
  jsonResponse,
  keyOf,
  readQuery,
  targetOf,
  textResponse,
} from './request-parts.ts';
import type { Snapshots } from './snapshots.ts';
import type { Watcher } from './watch.ts';
import { type ChangeForm, changeText, watchResponse } from './watch-response.ts';

/** A poll waits no longer for news; nor does an instance that leaves for its callers, in one request. */
export const longestWaitMs = 60_000;

const readers: readonly string[] = ['caller', 'observer'];

/**
 * Routes of those who follow the registry.
 *
 * | request | answer |
 * |---|---|
 * | `GET /v1/watch?service=` or `?contract=`, `&cursor=` | server-sent events: see {@link watchResponse} |
 * | the same with `&wait=<ms>` | one answer, at the first news or after that time: `{"watch","cursor","snapshot":{…}}` or `{"watch","cursor","changes":[…]}` |
 * | … `&form=compact` | changes of who is known tell only what changed |
 * | … `&as=caller`, `observer` | what the reader does with it: {@link ReaderPart} |
 * | … `&watch=` | goes on with a watch that broke off; its id is in the field `flotilla-watch` or in the answer |
 * | `POST /v1/watches/{watch}/acknowledgement?revision=` | 204: everything up to there was taken in; 404: no such watch |
 * | `DELETE /v1/watches/{watch}` | 204: nobody waits for it any more |
 * | `GET /v1/services/{service}/instances/{id}/notice?wait=` | `{"noticed","waiting","silent"}`: whether all callers know of its last change |
 */
export function watchRoutes(
  registry: Registry,
  snapshots: Snapshots,
  route: (method: string, path: string, handler: GuardedHandler) => RouteSpec<HttpHandler>,
): RouteSpec<HttpHandler>[] {
  return [
    route('GET', '/v1/watch', (guarded) => watch(registry, snapshots, guarded)),
    route('POST', '/v1/watches/{watch}/acknowledgement', (guarded) => acknowledge(registry, guarded)),
    route('DELETE', '/v1/watches/{watch}', (guarded) => leave(registry, guarded)),
    route('GET', '/v1/services/{service}/instances/{id}/notice', (guarded) => notice(registry, guarded)),
  ];
}

async function watch(
  registry: Registry,
  snapshots: Snapshots,
  { request, call, who, enterList }: GuardedRequest,
): Promise<HttpResponse> {
  const query = readQuery(request.query, ['service', 'contract', 'cursor', 'wait', 'form', 'as', 'watch']);
  const target = targetOf(query as Parameters<typeof targetOf>[0]);
  const waitMs = query.has('wait') ? waitOf(query.get('wait')) : undefined;
  const form = formOf(query.get('form'));
  const part = partOf(query.get('as'), waitMs === undefined ? 'silent' : 'caller');
  if (waitMs === undefined) refuseUnlessEvents(request.headers.get('accept'));
  const cursor = request.headers.get('last-event-id') ?? query.get('cursor');
  // A cursor of another start, or none: it begins with everybody.
  const taken = target || cursor?.startsWith(`${registry.epoch}:`) ? undefined : enterList(registry.size);
  const watcher = registry.watch(target, cursor, who.name);
  const { audience } = registry;
  const reader = audience.enter({ who: who.name, target, part }, cursor, query.get('watch'));
  watcher.onClose(() => audience.away(reader));
  if (waitMs !== undefined) return poll({ registry, snapshots, watcher, reader, form, call }, waitMs);
  const response = watchResponse({ registry, snapshots, watcher, form, call, watch: reader.id });
  return taken ? { ...response, body: untilRead(response.body as AsyncIterable<Uint8Array>, taken) } : response;
}

/** The first two pieces of a watch are its comment and its snapshot: who asks for a third has taken both. */
function untilRead(body: AsyncIterable<Uint8Array>, taken: () => void): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const pieces = body[Symbol.asyncIterator]();
      let asked = 0;
      return {
        next() {
          asked++;
          if (asked === 3) taken();
          return pieces.next();
        },
        return: async () => pieces.return?.() ?? { done: true, value: undefined },
      };
    },
  };
}

interface PollParts {
  readonly registry: Registry;
  readonly snapshots: Snapshots;
  readonly watcher: Watcher;
  readonly reader: Reader;
  readonly form: ChangeForm;
  readonly call: Call;
}

/** Waits for news that concern the target, and answers with all that there are. */
async function poll(
  { registry, snapshots, watcher, reader, form, call }: PollParts,
  waitMs: number,
): Promise<HttpResponse> {
  const { clock } = call;
  const until = clock.now() + waitMs;
  const stopListening = call.onCancel(() => watcher.close());
  try {
    for (;;) {
      const timer = clock.setTimer(Math.max(0, until - clock.now()), () => watcher.wake(), { background: true });
      await watcher.wait();
      timer.cancel();
      const taken = watcher.take();
      if (!taken) throw new FlotillaError('UNAVAILABLE', 'the watch was ended', { retryAfterMs: 1_000 });
      const head = `{"watch":"${reader.id}","cursor":"${formatCursor(registry.cursor)}"`;
      if (taken.some(({ kind }) => kind === 'snapshot')) {
        return textResponse(`${head},"snapshot":${snapshots.text(watcher.target)}}`);
      }
      const changes = taken.flatMap((event) => {
        const seen = event.kind === 'change' ? seenBy(watcher.target, event.change) : undefined;
        return event.kind === 'change' && seen ? changeText(event.change, seen, watcher.target, form) : [];
      });
      if (changes.length > 0 || clock.now() >= until) return textResponse(`${head},"changes":[${changes.join(',')}]}`);
    }
  } finally {
    stopListening();
    watcher.close();
  }
}

async function acknowledge(registry: Registry, { request, who, params }: GuardedRequest): Promise<HttpResponse> {
  const revision = wholeOf('revision', readQuery(request.query, ['revision']).get('revision'), Number.MAX_SAFE_INTEGER);
  const id = params.get('watch') ?? '';
  if (!registry.audience.acknowledge(id, who.name, revision)) throw unknownWatch(id);
  return emptyResponse(204);
}

async function leave(registry: Registry, { request, who, params }: GuardedRequest): Promise<HttpResponse> {
  readQuery(request.query, []);
  const id = params.get('watch') ?? '';
  if (!registry.audience.leave(id, who.name)) throw unknownWatch(id);
  return emptyResponse(204);
}

async function notice(registry: Registry, { request, call, who, params }: GuardedRequest): Promise<HttpResponse> {
  const query = readQuery(request.query, [...identityParameters, 'wait']);
  assertMaySpeakFor(who, params.get('service') ?? '');
  const key = keyOf(params, query as Parameters<typeof keyOf>[1]);
  const lease = registry.get(key);
  if (!lease) {
    throw new FlotillaError('NO_ROUTE', `the registry knows no lease of instance "${key.id}" of "${key.service}"`, {
      data: { lease: 'unknown' },
    });
  }
  return jsonResponse(await registry.noticed(lease, waitOf(query.get('wait') ?? '0'), call));
}

function waitOf(text: string | undefined): number {
  return wholeOf('wait', text, longestWaitMs);
}

/** @throws FlotillaError INVALID_INPUT unless it is a whole number up to `most`. */
function wholeOf(name: string, text: string | undefined, most: number): number {
  const value = /^[0-9]{1,16}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new FlotillaError(
    'INVALID_INPUT',
    `${name} must be a whole number from 0 to ${most}, got "${(text ?? '').slice(0, 40)}"`,
  );
}

function formOf(text: string | undefined): ChangeForm {
  if (text === undefined || text === 'full') return 'full';
  if (text === 'compact') return 'compact';
  throw new FlotillaError('INVALID_INPUT', `form must be full or compact, got "${text.slice(0, 40)}"`);
}

function partOf(text: string | undefined, fallback: ReaderPart): ReaderPart {
  if (text === undefined) return fallback;
  if (readers.includes(text)) return text as ReaderPart;
  throw new FlotillaError('INVALID_INPUT', `as must be caller or observer, got "${text.slice(0, 40)}"`);
}

function refuseUnlessEvents(accept = '*/*'): void {
  if (/text\/event-stream|text\/\*|\*\/\*/i.test(accept)) return;
  throw new FlotillaError(
    'NOT_ACCEPTABLE',
    'a watch is answered as text/event-stream, or as JSON with ?wait=; a list is at /v1/instances',
  );
}

function unknownWatch(id: string): FlotillaError {
  return new FlotillaError('NO_ROUTE', `there is no watch "${id.slice(0, 40)}" of yours`, {
    data: { watch: 'unknown' },
  });
}
