import { type Baggage, emptyBaggage, tenantKey } from './baggage.ts';
import type { Clock, Random } from './clock.ts';
import { type DeadlineEntry, type DeadlineWheel, wheelOf } from './deadline-wheel.ts';
import { FlotillaError } from './errors.ts';
import { defaultUrgency, type PriorityClass, priorityClass } from './priority.ts';
import { childTrace, newTrace, type TraceContext } from './trace.ts';

/** A typed key for something that a filter leaves in a call for others to read. */
export interface Attribute<T> {
  readonly name: string;
  /** Never set: it only carries the type. */
  readonly type?: T;
}

/** Makes a key. Two keys with one name are two keys. */
export function attribute<T>(name: string): Attribute<T> {
  return { name };
}

/** How a call ended: undefined when its last byte or element was delivered. */
export type Outcome = FlotillaError | undefined;

/** What a new call may be given. */
export interface CallOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Absolute instant on `clock`. Default: `Infinity`, none. */
  readonly deadline?: number | undefined;
  /** The trace that the call belongs to, with its own span. Default: a new span in its parent's, else a new trace. */
  readonly trace?: TraceContext | undefined;
  readonly baggage?: Baggage | undefined;
  /** Urgency of RFC 9218, 0 (most urgent) to 7. Default 3. */
  readonly urgency?: number | undefined;
  /** Which try of an outer layer this is, from 1. Absent: no outer layer repeats it. */
  readonly attempt?: number | undefined;
  /** Lets the callee recognise a repeated command. */
  readonly idempotencyKey?: string | undefined;
  /** When it began, on `clock`, for who has just read it. Default: now. */
  readonly startedAt?: number | undefined;
}

/** What a call made inside another one may change. */
export interface ChildOptions {
  /** Ends the child this long from now, if the parent's deadline is not sooner. */
  readonly timeoutMs?: number;
  readonly attempt?: number;
  readonly idempotencyKey?: string;
  readonly baggage?: Baggage;
  readonly urgency?: number;
}

/**
 * What travels with a request: until when it is wanted, whether it still is, which trace, tenant and priority it
 * belongs to. Every hop carries it on.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | running | everything | cancelled, ended |
 * | cancelled | cleaning up: {@link cancelled} says why, the signal is aborted | ended |
 * | ended | reading | none |
 *
 * Whoever produces the last byte of the answer calls {@link end}: a transport for the calls it is given, a server
 * engine for those it makes. So in-flight counts, latencies and deadlines are right for streams too.
 */
export class Call {
  readonly clock: Clock;
  readonly random: Random;
  /** Absolute instant on {@link clock} at which the work must end; `Infinity` for none. */
  readonly deadline: number;
  readonly baggage: Baggage;
  readonly urgency: number;
  readonly attempt: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly startedAt: number;
  readonly parent: Call | undefined;

  #trace: TraceContext | undefined;
  #wheel: DeadlineWheel | undefined;
  #armed: DeadlineEntry | undefined;
  #cancelled: FlotillaError | undefined;
  #ended = false;
  #outcome: Outcome;
  #controller: AbortController | undefined;
  /** In the order in which they came; a call inside this one stands for itself, which costs no function. */
  #cancelListeners: Set<Call | ((reason: FlotillaError) => void)> | undefined;
  #endListeners: ((outcome: Outcome) => void)[] | undefined;
  #attributes: Map<Attribute<unknown>, unknown> | undefined;

  constructor(options: CallOptions, parent?: Call) {
    this.clock = options.clock;
    this.random = options.random;
    this.deadline = options.deadline ?? Infinity;
    this.#trace = options.trace;
    this.baggage = options.baggage ?? emptyBaggage;
    this.urgency = options.urgency ?? defaultUrgency;
    this.attempt = options.attempt;
    this.idempotencyKey = options.idempotencyKey;
    this.startedAt = options.startedAt ?? options.clock.now();
    this.parent = parent;
    if (parent) parent.#adopt(this);
    if (this.deadline < (parent?.deadline ?? Infinity)) this.#arm();
  }

  /** Its trace and its own span in it. Made on first use: many calls inside a process are never told of. */
  get trace(): TraceContext {
    this.#trace ??= this.parent ? childTrace(this.parent.trace, this.random) : newTrace(this.random);
    return this.#trace;
  }

  /** Milliseconds until the deadline, not below 0; `Infinity` without one. */
  get remainingMs(): number {
    return Math.max(0, this.deadline - this.clock.now());
  }

  /** Why the work is no longer wanted; undefined while it is. */
  get cancelled(): FlotillaError | undefined {
    return this.#cancelled;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get priority(): PriorityClass {
    return priorityClass(this.urgency);
  }

  get tenant(): string | undefined {
    return this.baggage.get(tenantKey);
  }

  /** For foreign code that wants one. Made on first use: it costs 8 µs that most calls never need. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  /** A call for work inside this one: a new span, the same or a sooner deadline; cancelled when this one is. */
  child(options: ChildOptions = {}): Call {
    const startedAt = this.clock.now();
    const deadline =
      options.timeoutMs === undefined
        ? this.deadline
        : Math.min(this.deadline, startedAt + positive(options.timeoutMs));
    return new Call(
      {
        clock: this.clock,
        random: this.random,
        deadline,
        baggage: options.baggage ?? this.baggage,
        urgency: options.urgency ?? this.urgency,
        attempt: options.attempt ?? this.attempt,
        idempotencyKey: options.idempotencyKey,
        startedAt,
      },
      this,
    );
  }

  #adopt(child: Call): void {
    if (this.#cancelled) child.cancel(this.#cancelled);
    else if (!this.#ended) this.#listeners().add(child);
  }

  #listeners(): Set<Call | ((reason: FlotillaError) => void)> {
    this.#cancelListeners ??= new Set();
    return this.#cancelListeners;
  }

  /** Says that the work is no longer wanted. The first reason stays; after the end it does nothing. */
  cancel(reason: FlotillaError = new FlotillaError('CANCELLED', 'the caller no longer wants the answer')): void {
    if (this.#cancelled || this.#ended) return;
    this.#cancelled = reason;
    const listeners = this.#cancelListeners;
    this.#cancelListeners = undefined;
    this.#controller?.abort(reason);
    if (!listeners) return;
    for (const listener of listeners) {
      if (listener instanceof Call) listener.cancel(reason);
      else listener(reason);
    }
  }

  /**
   * Calls `listener` once when the work is no longer wanted, at once if it already is not.
   * @returns takes the listener back.
   */
  onCancel(listener: (reason: FlotillaError) => void): () => void {
    if (this.#cancelled) {
      listener(this.#cancelled);
      return nothing;
    }
    if (this.#ended) return nothing;
    this.#listeners().add(listener);
    return () => this.#cancelListeners?.delete(listener);
  }

  /** @throws the reason, when the work is no longer wanted or its deadline has passed. */
  throwIfCancelled(): void {
    if (!this.#cancelled && this.deadline <= this.clock.now()) this.cancel(this.#deadlineError());
    if (this.#cancelled) throw this.#cancelled;
  }

  /** The last byte or element is done, or the work failed with `outcome`. The first call counts. */
  end(outcome?: FlotillaError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#outcome = outcome;
    if (this.#armed) this.#wheel?.remove(this.#armed);
    const siblings = this.parent ? this.parent.#cancelListeners : undefined;
    siblings?.delete(this);
    this.#cancelListeners = undefined;
    const listeners = this.#endListeners;
    this.#endListeners = undefined;
    if (listeners) for (const listener of listeners) listener(outcome);
  }

  /** Calls `listener` once with the outcome when the call has ended, at once if it already has. */
  onEnd(listener: (outcome: Outcome) => void): void {
    if (this.#ended) listener(this.#outcome);
    else if (this.#endListeners) this.#endListeners.push(listener);
    else this.#endListeners = [listener];
  }

  /** The attribute of this call, else of the nearest call around it that has it. */
  get<T>(key: Attribute<T>): T | undefined {
    if (this.#attributes?.has(key)) return this.#attributes.get(key) as T;
    return this.parent?.get(key);
  }

  set<T>(key: Attribute<T>, value: T): void {
    this.#attributes ??= new Map();
    this.#attributes.set(key, value);
  }

  #arm(): void {
    this.#armed = { deadline: this.deadline, expire: () => this.cancel(this.#deadlineError()) };
    this.#wheel = wheelOf(this.clock); // only now: most calls are bounded by one around them
    this.#wheel.add(this.#armed);
  }

  #deadlineError(): FlotillaError {
    const allowedMs = Math.round(this.deadline - this.startedAt);
    return new FlotillaError('DEADLINE_EXCEEDED', `no answer within ${allowedMs} ms`);
  }
}

/**
 * Waits for `work`, but no longer than the call lasts.
 * The work itself is not stopped: give it the call or its signal for that.
 */
export function within<T>(call: Call, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = call.onCancel(reject);
    work.then(
      (value) => {
        leave();
        resolve(value);
      },
      (thrown) => {
        leave();
        reject(thrown);
      },
    );
  });
}

/** Waits; rejects with the reason when the call is cancelled first. */
export function sleep(delayMs: number, call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = call.onCancel((reason) => {
      timer.cancel();
      reject(reason);
    });
    const timer = call.clock.setTimer(call.cancelled ? Infinity : delayMs, () => {
      leave();
      resolve();
    });
  });
}

function positive(timeoutMs: number): number {
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be greater than 0, got ${timeoutMs}`);
  return timeoutMs;
}

function nothing(): void {}
