import { type Baggage, emptyBaggage, tenantKey } from './baggage.ts';
import type { Clock, Random } from './clock.ts';
import { type DeadlineEntry, type DeadlineWheel, wheelOf } from './deadline-wheel.ts';
import { FlotillaError } from './errors.ts';
import { Listeners, type Place } from './listeners.ts';
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

/** Something that wants to hear how a call ended. */
export interface Endable {
  ended(outcome: Outcome): void;
}

type EndListener = Endable | ((outcome: Outcome) => void);

/** Something that ends with a call that is cancelled: another call, or what waits for its answer. */
export interface Cancellable {
  cancel(reason: FlotillaError): void;
}

type CancelListener = Cancellable | ((reason: FlotillaError) => void);

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

/** What a call inside another one does not take over from it. */
export interface InnerCallOptions extends Omit<CallOptions, 'clock' | 'random'> {
  /** Default false. See {@link Call.expendable}. */
  readonly expendable?: boolean | undefined;
}

/** What a call made inside another one may change. */
export interface ChildOptions extends Omit<InnerCallOptions, 'deadline' | 'trace'> {
  /** Ends the child this long from now, if the parent's deadline is not sooner. */
  readonly timeoutMs?: number | undefined;
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
  /**
   * True of a call that was made for one attempt and that only the attempt's filters know: one of them that gives the
   * attempt up cancels it, and need not make a call inside it for that.
   */
  readonly expendable: boolean;

  #trace: TraceContext | undefined;
  #armed: CallDeadline | undefined;
  #cancelled: FlotillaError | undefined;
  #ended = false;
  #endedAt = Infinity;
  #outcome: Outcome;
  #controller: AbortController | undefined;
  #cancelListeners: Listeners<CancelListener> | undefined;
  /** Where it stands among the listeners of its parent. */
  #place: Place<CancelListener> | undefined;
  /** It and its parent end together. */
  #together = false;
  #endListeners: EndLink | undefined;
  #lastEndListener: EndLink | undefined;
  /** There are never many, and each call has some. */
  #attributes: AttributeLink | undefined;

  /** @param parent what `options` do not say is as in this call, which also cancels the new one. Its own: attempt's end, key. */
  constructor(options: CallOptions);
  constructor(options: InnerCallOptions, parent: Call);
  constructor(options: InnerCallOptions & Partial<Pick<CallOptions, 'clock' | 'random'>>, parent?: Call) {
    this.clock = parent ? parent.clock : (options.clock as Clock);
    this.random = parent ? parent.random : (options.random as Random);
    this.deadline = nearer(options.deadline, parent);
    this.baggage = options.baggage ?? (parent ? parent.baggage : emptyBaggage);
    this.urgency = options.urgency ?? (parent ? parent.urgency : defaultUrgency);
    this.attempt = options.attempt ?? (parent ? parent.attempt : undefined);
    this.idempotencyKey = options.idempotencyKey;
    this.startedAt = options.startedAt ?? this.clock.now();
    this.parent = parent;
    this.expendable = options.expendable === true;
    this.#trace = options.trace;
    if (parent) parent.#adopt(this);
    if (this.deadline < (parent ? parent.deadline : Infinity)) this.#arm();
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

  /** When it ended, on {@link clock}; `Infinity` while it has not. Calls that end together end at one instant. */
  get endedAt(): number {
    return this.#endedAt;
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
  child(options: ChildOptions = noChanges): Call {
    const { timeoutMs, baggage, urgency, attempt, idempotencyKey, expendable } = options;
    const startedAt = options.startedAt ?? this.clock.now();
    const deadline = timeoutMs === undefined ? undefined : startedAt + positive(timeoutMs);
    // All of one shape, whoever makes the call: reading many shapes costs more than all the rest.
    const changes: InnerCallOptions = {
      deadline,
      trace: undefined,
      baggage,
      urgency,
      attempt,
      idempotencyKey,
      startedAt,
      expendable,
    };
    return new Call(changes, this);
  }

  #adopt(child: Call): void {
    if (this.#cancelled) child.cancel(this.#cancelled);
    else if (!this.#ended) child.#place = this.#listeners().add(child);
  }

  #forget(place: Place<CancelListener>): void {
    this.#cancelListeners?.remove(place);
  }

  #listeners(): Listeners<CancelListener> {
    this.#cancelListeners ??= new Listeners();
    return this.#cancelListeners;
  }

  /** Says that the work is no longer wanted. The first reason stays; after the end it does nothing. */
  cancel(reason: FlotillaError = new FlotillaError('CANCELLED', 'the caller no longer wants the answer')): void {
    if (this.#cancelled || this.#ended) return;
    this.#cancelled = reason;
    const listeners = this.#cancelListeners;
    this.#cancelListeners = undefined;
    this.#controller?.abort(reason);
    listeners?.drain(tellCancelled, reason);
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
    const place = this.#listeners().add(listener);
    return () => this.#forget(place);
  }

  /**
   * Cancels `work` when this call is cancelled, at once if it already is. As {@link onCancel} for what lasts as long as the
   * call: it costs no functions.
   */
  cancels(work: Cancellable): void {
    if (this.#cancelled) work.cancel(this.#cancelled);
    else if (!this.#ended) this.#listeners().add(work);
  }

  /**
   * @param now on {@link clock}, for who knows it. Default: read
   * @throws the reason, when the work is no longer wanted or its deadline has passed.
   */
  throwIfCancelled(now?: number): void {
    if (!this.#cancelled && this.deadline <= (now ?? this.clock.now())) this.cancel(deadlineError(this));
    if (this.#cancelled) throw this.#cancelled;
  }

  /** The last byte or element is done, or the work failed with `outcome`. The first call counts. */
  end(outcome?: FlotillaError): void {
    if (!this.#ended) this.#endAt(this.clock.now(), outcome);
  }

  #endAt(now: number, outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endedAt = now;
    this.#outcome = outcome;
    this.#armed?.remove();
    if (this.#place && this.parent) this.parent.#forget(this.#place);
    const inside = this.#cancelListeners;
    let told = this.#endListeners;
    // Who holds an ended call must hold nothing of what it was for.
    this.#armed = undefined;
    this.#place = undefined;
    this.#cancelListeners = undefined;
    this.#endListeners = undefined;
    this.#lastEndListener = undefined;
    for (; told; told = told.next) tellEnded(told.listener, outcome);
    inside?.drain(Call.#endInside, this);
    if (this.#together && this.parent) this.parent.#endAt(now, outcome);
  }

  static #endInside(listener: CancelListener, around: Call): void {
    if (listener instanceof Call && listener.#together) listener.#endAt(around.#endedAt, around.#outcome);
  }

  /**
   * From here on this call and the one around it end together: the answer that was got in here is the answer out there.
   * Without a call around it does nothing.
   */
  endTogether(): void {
    if (!this.parent) return;
    if (this.#ended) this.parent.#endAt(this.#endedAt, this.#outcome);
    else if (this.parent.#ended) this.#endAt(this.parent.#endedAt, this.parent.#outcome);
    else this.#together = true;
  }

  /**
   * Calls `listener` once with the outcome when the call has ended, at once if it already has. What is kept for each call
   * anyway listens itself, as an {@link Endable}: that costs no function.
   */
  onEnd(listener: EndListener): void {
    if (this.#ended) {
      tellEnded(listener, this.#outcome);
      return;
    }
    const added: EndLink = { listener, next: undefined };
    if (this.#lastEndListener) this.#lastEndListener.next = added;
    else this.#endListeners = added;
    this.#lastEndListener = added;
  }

  /** The attribute of this call, else of the nearest call around it that has it. */
  get<T>(key: Attribute<T>): T | undefined {
    for (let call: Call | undefined = this; call; call = call.parent) {
      const link = linkOf(key, call.#attributes);
      if (link) return link.value as T;
    }
    return undefined;
  }

  /** Takes over the attributes of another call, and of those around it, that this one is not inside of: as they are now. */
  takeAttributes(from: Call): void {
    if (from.parent) this.takeAttributes(from.parent);
    for (let link = from.#attributes; link; link = link.next) this.set(link.key, link.value);
  }

  set<T>(key: Attribute<T>, value: T): void {
    const link = linkOf(key, this.#attributes);
    if (link) link.value = value;
    else this.#attributes = { key, value, next: this.#attributes };
  }

  #arm(): void {
    this.#armed = new CallDeadline(this); // only now: most calls are bounded by one around them
  }
}

function tellCancelled(listener: CancelListener, reason: FlotillaError): void {
  if (typeof listener === 'function') listener(reason);
  else listener.cancel(reason);
}

function tellEnded(listener: EndListener, outcome: Outcome): void {
  if (typeof listener === 'function') listener(outcome);
  else listener.ended(outcome);
}

interface EndLink {
  readonly listener: EndListener;
  next: EndLink | undefined;
}

/** What hangs on the wheel for a call. */
class CallDeadline implements DeadlineEntry {
  readonly deadline: number;
  previous: DeadlineEntry | undefined;
  next: DeadlineEntry | undefined;
  readonly #call: Call;
  readonly #wheel: DeadlineWheel;

  constructor(call: Call) {
    this.deadline = call.deadline;
    this.previous = undefined;
    this.next = undefined;
    this.#call = call;
    this.#wheel = wheelOf(call.clock);
    this.#wheel.add(this);
  }

  remove(): void {
    this.#wheel.remove(this);
  }

  expire(): void {
    this.#call.cancel(deadlineError(this.#call));
  }
}

function deadlineError({ deadline, startedAt }: Call): FlotillaError {
  return new FlotillaError('DEADLINE_EXCEEDED', `no answer within ${Math.round(deadline - startedAt)} ms`);
}

function nearer(deadline: number | undefined, parent: Call | undefined): number {
  const around = parent ? parent.deadline : Infinity;
  return deadline !== undefined && deadline < around ? deadline : around;
}

/** One attribute of a call. */
interface AttributeLink {
  readonly key: Attribute<unknown>;
  value: unknown;
  readonly next: AttributeLink | undefined;
}

function linkOf(key: Attribute<unknown>, attributes: AttributeLink | undefined): AttributeLink | undefined {
  for (let link = attributes; link; link = link.next) if (link.key === key) return link;
  return undefined;
}

const noChanges: ChildOptions = Object.freeze({});

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
