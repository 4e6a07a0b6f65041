import { type Clock, type Counter, type Gauge, type Meter, nullMeter } from '@flotilla/core';

/**
 * What each policy can tell. A kind is one decision that somebody may want to know of: a state that changed, a call that was
 * refused, delayed or answered otherwise. This table is the vocabulary of the event stream, of
 * `flotilla_policy_events_total` and of the console: another policy adds its line here.
 */
export interface PolicyKinds {
  timeout: 'expired' | 'attempt_expired' | 'refused';
  concurrencyLimit: 'refused';
  breaker: 'opened' | 'tried' | 'closed' | 'refused';
  bulkhead: 'queued' | 'refused';
  rateLimit: 'delayed' | 'refused';
  retry: 'repeated' | 'over_budget' | 'over_deadline';
  concurrency: 'lowered' | 'raised' | 'queued';
  shedding: 'refused' | 'began' | 'ended';
  fallback: 'used' | 'failed';
  hedge: 'sent' | 'won' | 'over_budget';
  cache: 'stale' | 'stale_if_error' | 'evicted';
  singleFlight: 'joined';
  batch: 'sent' | 'failed';
  idempotency: 'replayed' | 'waited' | 'conflict' | 'store_away';
  balance: 'ejected' | 'readmitted' | 'panicked';
}

export type PolicyName = keyof PolicyKinds;

/** One decision of one policy. JSON throughout. */
export type PolicyEvent = {
  readonly [Name in PolicyName]: {
    readonly policy: Name;
    readonly kind: PolicyKinds[Name];
    /** Whom the policy protects: the service that is called, an instance of it, or `server` for this process. */
    readonly target: string;
    readonly operation?: string | undefined;
    /** Milliseconds since the Unix epoch. */
    readonly at: number;
    /** What decided it, by name; durations end in `Ms`, shares in `Fraction`. */
    readonly numbers?: Readonly<Record<string, number>> | undefined;
  };
}[PolicyName];

/** Takes what policies tell. Must not throw, and must not wait. */
export interface PolicyEvents {
  report(event: PolicyEvent): void;
}

/** Hears nothing, so that nobody has to check for a sink. */
export const nullEvents: PolicyEvents = Object.freeze({ report() {} });

/** The events of one subscriber, from when it subscribed on. Ends when it is closed. */
export interface EventSubscription extends AsyncIterable<PolicyEvent> {
  /** Events that it was too slow for, since they were last asked for. */
  takeDropped(): number;
  close(): void;
}

export interface EventHubOptions {
  readonly meter?: Meter | undefined;
  /** Events that wait for one subscriber; beyond it the oldest are dropped and counted. Default 1,000. */
  readonly maxQueued?: number | undefined;
  /** Subscribers at a time. Default 16. */
  readonly maxSubscribers?: number | undefined;
  /** Events kept for who comes later. Default 256. */
  readonly maxRecent?: number | undefined;
}

/**
 * The one stream of all policies of a process: counts every event in `flotilla_policy_events_total`, keeps the latest ones,
 * and gives them to subscribers. A subscriber that does not read costs a bounded queue and loses the oldest events; it
 * holds nobody up.
 */
export class EventHub implements PolicyEvents {
  readonly #maxQueued: number;
  readonly #maxSubscribers: number;
  readonly #recent: Ring<PolicyEvent>;
  readonly #counters: EventCounters;
  readonly #subscribers = new Set<Subscriber>();

  constructor({ meter = nullMeter, maxQueued = 1_000, maxSubscribers = 16, maxRecent = 256 }: EventHubOptions = {}) {
    this.#maxQueued = maxQueued;
    this.#maxSubscribers = maxSubscribers;
    this.#recent = new Ring(maxRecent);
    this.#counters = new EventCounters(meter);
  }

  report(event: PolicyEvent): void {
    this.#counters.count(event);
    this.#recent.push(event);
    for (const subscriber of this.#subscribers) subscriber.push(event);
  }

  /** The latest events, the oldest first. */
  recent(): readonly PolicyEvent[] {
    return this.#recent.values();
  }

  /** @returns undefined when as many as may listen do. */
  subscribe(): EventSubscription | undefined {
    if (this.#subscribers.size >= this.#maxSubscribers) return undefined;
    const subscriber = new Subscriber(this.#maxQueued, () => this.#subscribers.delete(subscriber));
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** Ends every subscription, so that who reads them comes to an end. */
  close(): void {
    for (const subscriber of [...this.#subscribers]) subscriber.close();
  }
}

/** The last `size` values. */
class Ring<T> {
  readonly #size: number;
  readonly #slots: T[] = [];
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get length(): number {
    return this.#slots.length;
  }

  /** @returns true when the oldest one had to go. */
  push(value: T): boolean {
    if (this.#slots.length < this.#size) {
      this.#slots.push(value);
      return false;
    }
    this.#slots[this.#next] = value;
    this.#next = (this.#next + 1) % this.#size;
    return true;
  }

  values(): T[] {
    return [...this.#slots.slice(this.#next), ...this.#slots.slice(0, this.#next)];
  }

  clear(): void {
    this.#slots.length = 0;
    this.#next = 0;
  }
}

class Subscriber implements EventSubscription {
  readonly #queue: Ring<PolicyEvent>;
  readonly #left: () => void;
  #dropped = 0;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(maxQueued: number, left: () => void) {
    this.#queue = new Ring(maxQueued);
    this.#left = left;
  }

  push(event: PolicyEvent): void {
    if (this.#queue.push(event)) this.#dropped += 1;
    this.#wake?.();
  }

  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  close(): void {
    this.#closed = true;
    this.#left();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PolicyEvent, void, undefined> {
    try {
      while (!this.#closed) {
        if (this.#queue.length === 0) await this.#something();
        const events = this.#queue.values();
        this.#queue.clear();
        yield* events;
      }
    } finally {
      this.close();
    }
  }

  #something(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

/** More series than this are counted without target and operation: names of peers must not fill the memory. */
const maxSeries = 2_000;

class EventCounters {
  readonly #family: ReturnType<Meter['counter']>;
  readonly #counters = new Map<string, Counter>();
  readonly #gauges: EventGauges;

  constructor(meter: Meter) {
    this.#family = meter.counter({
      name: 'flotilla_policy_events_total',
      help: 'Decisions of the policies of this process.',
      labels: ['policy', 'kind', 'target', 'operation'],
    });
    this.#gauges = new EventGauges(meter);
  }

  count(event: PolicyEvent): void {
    const { policy, kind, target, operation = '' } = event;
    this.#gauges.follow(event);
    const key = `${policy}\n${kind}\n${target}\n${operation}`;
    let counter = this.#counters.get(key);
    if (!counter) {
      const full = this.#counters.size >= maxSeries;
      counter = this.#family.with({ policy, kind, target: full ? 'other' : target, operation: full ? '' : operation });
      if (!full) this.#counters.set(key, counter);
    }
    counter.add();
  }
}

/** What stands as an event left it. */
class EventGauges {
  readonly #limit: Gauge;
  readonly #breakers: ReturnType<Meter['gauge']>;

  constructor(meter: Meter) {
    const limit = meter.gauge({
      name: 'flotilla_policy_concurrency_limit',
      help: 'How many calls this process works on at a time; it follows latency and the delay of the event loop.',
    });
    this.#limit = limit.with({});
    this.#breakers = meter.gauge({
      name: 'flotilla_policy_breaker_open',
      help: 'Breakers: 1 open, 0.5 while it tries, 0 closed again.',
      labels: ['target', 'operation'],
    });
  }

  follow({ policy, kind, target, operation = '', numbers }: PolicyEvent): void {
    if (policy === 'concurrency' && numbers?.['limit'] !== undefined) this.#limit.set(numbers['limit']);
    if (policy !== 'breaker' || kind === 'refused') return;
    this.#breakers.with({ target, operation }).set(kind === 'opened' ? 1 : kind === 'tried' ? 0.5 : 0);
  }
}

/** An event that happened now. */
export function tell<Name extends PolicyName>(
  events: PolicyEvents,
  clock: Clock,
  policy: Name,
  kind: PolicyKinds[Name],
  target: string,
  operation: string | undefined,
  numbers?: Readonly<Record<string, number>>,
): void {
  events.report({ policy, kind, target, operation, at: clock.wallNow(), numbers } as PolicyEvent);
}
