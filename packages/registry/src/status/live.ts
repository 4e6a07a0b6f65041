import { type Call, FlotillaError, type Timer } from '@flotilla/core';
import { encodeComment, encodeEvent, HttpHeaders, type HttpResponse } from '@flotilla/http';
import { momentOf } from '../lease/moment.ts';
import type { Registry } from '../server/registry.ts';
import type { Watcher } from '../server/watch.ts';
import { type Beside, overviewOf } from './overview.ts';
import { statusView } from './page.ts';
import type { StatusQuery } from './query.ts';

/** Open pages that are kept up to date; further ones show the moment at which they were loaded. */
export const mostLivePages = 50;
/** Changes that come together are one push: never sooner than this after the last one. */
const leastMs = 250;
/** Leases age without a change: then too a page is written anew. */
const mostMs = 10_000;
/** Writing for one page may take this share of the time: of a large registry it is written less often. */
const busyShare = 0.02;

/** The pages that are open. */
export class LivePages {
  readonly #registry: Registry;
  readonly #beside: () => Beside;
  #open = 0;

  constructor(registry: Registry, beside: () => Beside = () => ({})) {
    this.#registry = registry;
    this.#beside = beside;
  }

  /**
   * A page's stream of server-sent events: `view`, with the parts of the page that change, as HTML.
   * @param who whose page it is.
   * @throws FlotillaError UNAVAILABLE when too many pages are open
   */
  open(query: StatusQuery, who: string, call: Call): HttpResponse {
    if (this.#open >= mostLivePages) {
      throw new FlotillaError('UNAVAILABLE', `${mostLivePages} status pages are open already`, {
        retryAfterMs: 30_000,
      });
    }
    const watcher = this.#registry.watch(undefined, undefined, who);
    this.#open++;
    let isOpen = true;
    const close = (): void => {
      if (isOpen) this.#open--;
      isOpen = false;
      watcher.close();
    };
    call.onEnd(close);
    call.onCancel(close);
    const headers = new HttpHeaders([
      ['content-type', 'text/event-stream'],
      ['cache-control', 'no-store'],
      ['x-accel-buffering', 'no'],
    ]);
    return { status: 200, headers, body: views(this.#registry, this.#beside, watcher, query, call, close) };
  }
}

async function* views(
  registry: Registry,
  beside: () => Beside,
  watcher: Watcher,
  query: StatusQuery,
  call: Call,
  close: () => void,
): AsyncGenerator<Uint8Array, void> {
  const { clock } = call;
  const wakeIn = (ms: number): Timer => clock.setTimer(ms, () => watcher.wake(), { background: true });
  try {
    yield encodeComment(`registry ${registry.epoch}`);
    for (let isNews = false; ; ) {
      if (!isNews && !(await news(watcher, wakeIn(mostMs)))) return;
      isNews = false;
      const startedAt = clock.now();
      const view = statusView(await overviewOf(registry, query, momentOf(clock), beside()), query).text;
      const until = clock.now() + Math.max(leastMs, (clock.now() - startedAt) / busyShare);
      yield encodeEvent({ event: 'view', data: view });
      while (clock.now() < until) {
        const taken = await news(watcher, wakeIn(until - clock.now()));
        if (!taken) return;
        isNews ||= taken.length > 0;
      }
    }
  } finally {
    close();
  }
}

/** What came until the timer ended the wait; undefined: the watch is over. */
async function news(watcher: Watcher, timer: Timer): Promise<ReturnType<Watcher['take']>> {
  await watcher.wait();
  timer.cancel();
  return watcher.take();
}
