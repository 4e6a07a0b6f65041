import {
  type Attribute,
  attribute,
  begin,
  type Call,
  type Counter,
  type Filter,
  type Gauge,
  type Handler,
  type Meter,
  nullMeter,
  toFlotillaError,
} from '@flotilla/core';
import { type CacheFind, CacheTable } from './cache-table.ts';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { isOutage } from './fallback.ts';
import { innerCall } from './inner-call.ts';
import { flag, type Given, milliseconds, type PolicyFields, resolveFields, whole } from './policy-fields.ts';
import { sharedCall } from './shared-call.ts';

/** Which answers a client keeps, and for how long. */
export interface CacheSettings {
  readonly enabled: boolean;
  /** Milliseconds for which an answer is as good as new. */
  readonly ttlMs: number;
  /** For so long after that it is still given at once, while a new one is fetched. 0: not at all. */
  readonly staleWhileRevalidateMs: number;
  /** For so long after `ttlMs` it is given when the callee cannot answer. 0: not at all. */
  readonly staleIfErrorMs: number;
  readonly maxEntries: number;
  /** Of keys and answers together, in bytes of JSON. */
  readonly maxBytes: number;
  /** A larger answer is not kept. */
  readonly maxEntryBytes: number;
  /** Answers that are renewed behind at a time. */
  readonly maxRenewals: number;
  /** How long a renewal behind may take. */
  readonly renewalMs: number;
}

export const cacheDefaults: CacheSettings = Object.freeze({
  enabled: false, // only who wrote the operation knows for how long its answers hold
  ttlMs: 5_000, // takes the peaks off without anybody noticing that data is old
  staleWhileRevalidateMs: 5_000, // as long again: nobody waits for an answer that is asked for steadily
  staleIfErrorMs: 300_000, // an outage of minutes is bridged; after that an old answer misleads more than an error
  maxEntries: 1_000,
  maxBytes: 16_777_216, // a small part of the heap of a service
  maxEntryBytes: 262_144, // no answer takes more than a sixty-fourth of it
  maxRenewals: 100,
  renewalMs: 10_000, // as long as one attempt
});

export const cacheFields: PolicyFields<CacheSettings> = {
  enabled: flag('whether answers are kept at all'),
  ttlMs: milliseconds('for how long an answer is as good as new'),
  staleWhileRevalidateMs: milliseconds('for how long after that it is given while a new one is fetched', { min: 0 }),
  staleIfErrorMs: milliseconds('for how long after ttlMs it is given when the callee cannot answer', { min: 0 }),
  maxEntries: whole('answers that are kept', { min: 1, max: 1_000_000 }),
  maxBytes: whole('bytes of JSON that are kept, keys included', { min: 1_024, max: 4_294_967_296 }),
  maxEntryBytes: whole('a larger answer is not kept', { min: 1, max: 67_108_864 }),
  maxRenewals: whole('answers that are renewed behind at a time', { min: 1, max: 10_000 }),
  renewalMs: milliseconds('how long a renewal behind may take'),
};

/** What a cache needs to know. */
export interface CacheOptions<Req> extends Given<CacheSettings> {
  /**
   * What an answer depends on: operation, input, tenant, and whatever else it varies with. Undefined: not to be kept, as for
   * everything that changes something or goes on as a stream.
   */
  readonly keyOf: (request: Req, call: Call) => string | undefined;
  /** The operation, for metrics and events: from a bounded set. Default: empty. */
  readonly operationOf?: ((request: Req, call: Call) => string) | undefined;
  /** Whom it is about. Default: empty. */
  readonly target?: string | undefined;
  readonly events?: PolicyEvents | undefined;
  /** `flotilla_cache_answers_total{target,operation,result}`, `flotilla_cache_entries{target}`, `flotilla_cache_bytes{target}`. */
  readonly meter?: Meter | undefined;
}

/** True in a call that wants no answer that was kept, as after a change of one's own. Its answer is kept for others. */
export const freshAttribute: Attribute<boolean> = attribute('wants a fresh answer');

/** Kept answers, and the filter that keeps them. */
export interface AnswerCache<Req, Res> {
  readonly filter: Filter<Req, Res>;
  /** Forgets one answer. One that is on its way is not kept either. */
  delete(key: string): void;
  /** Forgets every answer whose key matches, such as all of one operation. */
  deleteWhere(matches: (key: string) => boolean): void;
  clear(): void;
  readonly size: number;
  readonly bytes: number;
}

/**
 * Keeps answers of one piece that change nothing, as the JSON that they are: each caller gets an object of its own, what is
 * kept is counted in bytes exactly, and nobody can change another's answer.
 *
 * | found | answered |
 * |---|---|
 * | fresh | at once |
 * | stale, within `staleWhileRevalidateMs` | at once; one call behind fetches a new one |
 * | stale, within `staleIfErrorMs` | by the callee; with what was kept if it cannot: {@link isOutage} |
 * | nothing | by the callee |
 *
 * An error that is an answer is passed on, and what was kept is forgotten. Errors are never kept.
 * It stands outside of the time-out, so that a callee that does not answer in time is an outage as well.
 *
 * @throws RangeError
 */
export function createAnswerCache<Req, Res>(options: CacheOptions<Req>): AnswerCache<Req, Res> {
  return new Cache<Req, Res>(options);
}

class Cache<Req, Res> implements AnswerCache<Req, Res> {
  readonly filter: Filter<Req, Res>;
  readonly #settings: CacheSettings;
  readonly #options: CacheOptions<Req>;
  readonly #events: PolicyEvents;
  readonly #table: CacheTable;
  readonly #renewing = new Set<string>();
  readonly #metrics: CacheMetrics;
  /** Rises with each deletion: an answer that was asked for before it is not kept. */
  #epoch = 0;

  constructor(options: CacheOptions<Req>) {
    this.#settings = resolveFields(cacheFields, cacheDefaults, options);
    this.#options = options;
    this.#events = options.events ?? nullEvents;
    this.#table = new CacheTable(this.#settings);
    this.#metrics = new CacheMetrics(options.meter ?? nullMeter, options.target ?? '');
    this.filter = (next) => (request, call) => {
      const key = options.keyOf(request, call);
      return key === undefined ? next(request, call) : this.#answer(next, request, call, key);
    };
  }

  get size(): number {
    return this.#table.size;
  }

  get bytes(): number {
    return this.#table.bytes;
  }

  delete(key: string): void {
    this.#epoch += 1;
    this.#table.delete(key);
  }

  deleteWhere(matches: (key: string) => boolean): void {
    this.#epoch += 1;
    this.#table.deleteWhere(matches);
  }

  clear(): void {
    this.#epoch += 1;
    this.#table.clear();
  }

  #answer(next: Handler<Req, Res>, request: Req, call: Call, key: string): Promise<Res> {
    const operation = this.#options.operationOf?.(request, call) ?? '';
    const found = this.#table.find(key, this.#settings, call.clock.now());
    if (found.kind === 'none' || call.get(freshAttribute)) {
      this.#metrics.count(operation, 'miss');
      return this.#fetch(next, request, call, key);
    }
    if (found.kind === 'fresh') {
      this.#metrics.count(operation, 'hit');
      return give(found.text, call);
    }
    if (found.atOnce) {
      this.#metrics.count(operation, 'stale');
      this.#tell(call, 'stale', operation);
      this.#renew(next, request, call, key);
      return give(found.text, call);
    }
    return this.#fetchOrKeep(next, request, call, key, found, operation);
  }

  #fetch(next: Handler<Req, Res>, request: Req, call: Call, key: string): Promise<Res> {
    const epoch = this.#epoch;
    return begin(next, request, call).then(
      (response) => {
        this.#keep(key, response, epoch, call);
        return response;
      },
      (thrown: unknown) => {
        if (!isOutage(toFlotillaError(thrown))) this.#table.delete(key);
        throw thrown;
      },
    );
  }

  /** In a call inside: that the callee failed is not how this one ended. */
  #fetchOrKeep(
    next: Handler<Req, Res>,
    request: Req,
    call: Call,
    key: string,
    found: CacheFind & { readonly kind: 'stale' },
    operation: string,
  ): Promise<Res> {
    const inner = innerCall(call, call.clock.now());
    return this.#fetch(next, request, inner, key).then(
      (response) => {
        this.#metrics.count(operation, 'miss');
        call.end();
        return response;
      },
      (thrown: unknown) => {
        const error = toFlotillaError(thrown);
        if (call.cancelled || !found.ifError || !isOutage(error)) {
          this.#metrics.count(operation, 'miss');
          call.end(error);
          throw thrown;
        }
        this.#metrics.count(operation, 'stale_if_error');
        this.#tell(call, 'stale_if_error', operation);
        return give<Res>(found.text, call);
      },
    );
  }

  #renew(next: Handler<Req, Res>, request: Req, call: Call, key: string): void {
    if (this.#renewing.has(key) || this.#renewing.size >= this.#settings.maxRenewals) return;
    this.#renewing.add(key);
    const behind = sharedCall(call, call.clock.now() + this.#settings.renewalMs);
    const over = (): void => void this.#renewing.delete(key);
    this.#fetch(next, request, behind, key).then(over, over); // a failure is told by whoever stands further in
  }

  #keep(key: string, response: Res, epoch: number, call: Call): void {
    if (epoch !== this.#epoch) return;
    const text: string | undefined = JSON.stringify(response);
    if (text === undefined) return;
    const evicted = this.#table.put(key, text, call.clock.now());
    this.#metrics.holds(this.#table);
    if (evicted > 0) this.#tell(call, 'evicted', undefined, { entries: evicted });
  }

  #tell(
    call: Call,
    kind: 'stale' | 'stale_if_error' | 'evicted',
    operation: string | undefined,
    numbers?: Readonly<Record<string, number>>,
  ): void {
    tell(this.#events, call.clock, 'cache', kind, this.#options.target ?? '', operation, numbers);
  }
}

function give<Res>(text: string, call: Call): Promise<Res> {
  if (call.cancelled) {
    call.end(call.cancelled);
    return Promise.reject(call.cancelled);
  }
  call.end();
  return Promise.resolve(JSON.parse(text));
}

type CacheResult = 'hit' | 'miss' | 'stale' | 'stale_if_error';

class CacheMetrics {
  readonly #target: string;
  readonly #family: ReturnType<Meter['counter']>;
  readonly #counters = new Map<string, Counter>();
  readonly #entries: Gauge;
  readonly #bytes: Gauge;

  constructor(meter: Meter, target: string) {
    this.#target = target;
    this.#family = meter.counter({
      name: 'flotilla_cache_answers_total',
      help: 'Answers to callers of operations that are kept, by where they came from.',
      labels: ['target', 'operation', 'result'],
    });
    const of = { target };
    const labels = ['target'];
    this.#entries = meter.gauge({ name: 'flotilla_cache_entries', help: 'Answers that are kept.', labels }).with(of);
    this.#bytes = meter
      .gauge({ name: 'flotilla_cache_bytes', help: 'Bytes of the answers that are kept.', labels })
      .with(of);
  }

  count(operation: string, result: CacheResult): void {
    const name = `${operation}\n${result}`;
    let counter = this.#counters.get(name);
    if (!counter) {
      counter = this.#family.with({ target: this.#target, operation, result });
      this.#counters.set(name, counter);
    }
    counter.add();
  }

  holds({ size, bytes }: CacheTable): void {
    this.#entries.set(size);
    this.#bytes.set(bytes);
  }
}
