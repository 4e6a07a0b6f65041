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

/** Attributes that calls begin with, made once for all of them. */
export class SharedAttributes {
  readonly first: AttributeLink | undefined;

  constructor(list: readonly (readonly [Attribute<unknown>, unknown])[]) {
    let next: AttributeLink | undefined;
    for (const [key, value] of list) next = { key, value, shared: true, next };
    this.first = next;
  }
}

/** How a call ended: undefined when its last byte or element was delivered. */
export type Outcome = FlotillaError | undefined;

/** Something that ends with a call that is cancelled: another call, or what waits for its answer. */
export interface Cancellable {
  cancel(reason: FlotillaError): void;
}

/** Something that is told how a call ended. It waits for one call only: it stands in that call's list itself. */
export interface EndWatcher {
  ended(outcome: Outcome): void;
  /** The next one in the list, which is the call's own to write. */
  nextWatcher: EndWatcher | undefined;
}

/** An answer that a call tells all of; see {@link Call.told}. */
export interface ToldAnswer {
  readonly promise: Promise<unknown>;
  /** What is answered instead of the failure that the call ends with: left by who makes another attempt, while it ends. */
  instead: Promise<unknown> | undefined;
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
  /** What many calls have alike; a value that the call sets hides the one in there. Default: none. */
  readonly attributes?: SharedAttributes | undefined;
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
  readonly baggage: Baggage;
  readonly urgency: number;
  readonly attempt: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly startedAt: number;
  readonly parent: Call | undefined;
  /**
   * True of a call that was made for one attempt, or for one call of a client, and that only the filters around it know: one
   * of them that gives it up cancels it, or gives it a sooner deadline, and need not make a call inside it for that.
   */
  readonly expendable: boolean;
  /**
   * The answer that this call tells all of: its promise settles when the call ends, in the same turn, with the same outcome, and the
   * call's cancellation ends it at once. Left here by the endpoint that answers. A filter that gets this very promise back hands it on
   * and hears of the outcome by {@link tells}, for nobody within waits for it or answers otherwise. Any other promise has to be waited for.
   * Undefined again when the call has ended.
   */
  told: ToldAnswer | undefined;

  #deadline: number;
  #trace: TraceContext | undefined;
  #armed: CallDeadline | undefined;
  #cancelled: FlotillaError | undefined;
  #ended = false;
  #endedAt = Infinity;
  #outcome: Outcome;
  #controller: AbortController | undefined;
  /** The first of those who are cancelled with it: most calls have one, for which no list is made. */
  #firstInside: Cancellable | undefined;
  /** Those who came after it, or before it where the list was there. */
  #cancelListeners: Listeners<CancelListener> | undefined;
  /** Where it stands among the listeners of its parent. */
  #place: Place<CancelListener> | undefined;
  /** It and its parent end together. */
  #together = false;
  #watchers: EndWatcher | undefined;
  #lastWatcher: EndWatcher | undefined;
  /** There are never many, and each call has some. */
  #attributes: AttributeLink | undefined;

  /** @param parent what `options` do not say is as in this call, which also cancels the new one. Its own: attempt's end, key. */
  constructor(options: CallOptions & Pick<InnerCallOptions, 'expendable'>);
  constructor(options: InnerCallOptions, parent: Call);
  constructor(options: InnerCallOptions & Partial<Pick<CallOptions, 'clock' | 'random'>>, parent?: Call) {
    this.clock = parent ? parent.clock : (options.clock as Clock);
    this.random = parent ? parent.random : (options.random as Random);
    this.#deadline = nearer(options.deadline, parent);
    this.baggage = options.baggage ?? (parent ? parent.baggage : emptyBaggage);
    this.urgency = options.urgency ?? (parent ? parent.urgency : defaultUrgency);
    this.attempt = options.attempt ?? (parent ? parent.attempt : undefined);
    this.idempotencyKey = options.idempotencyKey;
    this.startedAt = options.startedAt ?? this.clock.now();
    this.parent = parent;
    this.expendable = options.expendable === true;
    this.told = undefined;
    this.#attributes = options.attributes?.first;
    this.#trace = options.trace;
    if (parent) parent.#adopt(this);
    // Only now: most calls are bounded by one around them.
    if (this.#deadline < (parent ? parent.deadline : Infinity)) this.#armed = new CallDeadline(this, deadlineError);
  }

  /** Absolute instant on {@link clock} at which the work must end; `Infinity` for none. */
  get deadline(): number {
    return this.#deadline;
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
    const { timeoutMs, baggage, urgency, attempt, idempotencyKey, expendable, attributes } = options;
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
      attributes,
    };
    return new Call(changes, this);
  }

  #adopt(child: Call): void {
    if (this.#cancelled) child.cancel(this.#cancelled);
    else if (!this.#ended) child.#place = this.#addInside(child);
  }

  /** @returns its place in the list; undefined: it is the first, outside of it */
  #addInside(work: Cancellable): Place<CancelListener> | undefined {
    if (this.#firstInside || this.#cancelListeners) return this.#listeners().add(work);
    this.#firstInside = work;
    return undefined;
  }

  #leave(child: Call): void {
    if (this.#firstInside === child) this.#firstInside = undefined;
    else if (child.#place) this.#forget(child.#place);
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
    const first = this.#firstInside;
    const listeners = this.#cancelListeners;
    this.#firstInside = undefined;
    this.#cancelListeners = undefined;
    this.#controller?.abort(reason);
    first?.cancel(reason);
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
    else if (!this.#ended) this.#addInside(work);
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
    if (this.parent) this.parent.#leave(this);
    const first = this.#firstInside;
    const inside = this.#cancelListeners;
    let watcher = this.#watchers;
    // Who holds an ended call must hold nothing of what it was for.
    this.#armed = undefined;
    this.#place = undefined;
    this.#firstInside = undefined;
    this.#cancelListeners = undefined;
    this.#watchers = undefined;
    this.#lastWatcher = undefined;
    while (watcher) {
      const { nextWatcher }: EndWatcher = watcher;
      watcher.nextWatcher = undefined;
      watcher.ended(outcome);
      watcher = nextWatcher;
    }
    if (first) Call.#endInside(first, this);
    inside?.drain(Call.#endInside, this);
    this.told = undefined; // only now: who hears of a failure may leave another answer there
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

  /** Calls `listener` once with the outcome when the call has ended, at once if it already has. */
  onEnd(listener: (outcome: Outcome) => void): void {
    if (this.#ended) listener(this.#outcome);
    else this.tells(new ListeningFunction(listener));
  }

  /** Tells `watcher` once how the call ended, at once if it already has. As {@link onEnd}; it costs no function and no link. */
  tells(watcher: EndWatcher): void {
    if (this.#ended) {
      watcher.ended(this.#outcome);
      return;
    }
    if (this.#lastWatcher) this.#lastWatcher.nextWatcher = watcher;
    else this.#watchers = watcher;
    this.#lastWatcher = watcher;
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
    for (let link = from.#attributes; link; link = link.next) {
      if (linkOf(link.key, from.#attributes) === link) this.set(link.key, link.value); // no other one hides it
    }
  }

  set<T>(key: Attribute<T>, value: T): void {
    const link = linkOf(key, this.#attributes);
    if (link && !link.shared) link.value = value;
    else this.#attributes = { key, value, shared: false, next: this.#attributes }; // it hides one that is shared
  }

  /**
   * Of an {@link expendable} call: it must end at `deadline` if that is sooner than what it had, and is cancelled then with
   * what `late` makes.
   */
  narrow(deadline: number, late: (call: Call) => FlotillaError): void {
    if (this.#ended || deadline >= this.#deadline) return;
    this.#armed?.remove();
    this.#deadline = deadline;
    this.#armed = new CallDeadline(this, late);
  }
}

function tellCancelled(listener: CancelListener, reason: FlotillaError): void {
  if (typeof listener === 'function') listener(reason);
  else listener.cancel(reason);
}

class ListeningFunction implements EndWatcher {
  readonly ended: (outcome: Outcome) => void;
  nextWatcher: EndWatcher | undefined;

  constructor(listener: (outcome: Outcome) => void) {
    this.ended = listener;
    this.nextWatcher = undefined;
  }
}

/** What hangs on the wheel for a call. */
class CallDeadline implements DeadlineEntry {
  readonly deadline: number;
  previous: DeadlineEntry | undefined;
  next: DeadlineEntry | undefined;
  readonly #call: Call;
  readonly #late: (call: Call) => FlotillaError;
  readonly #wheel: DeadlineWheel;

  constructor(call: Call, late: (call: Call) => FlotillaError) {
    this.deadline = call.deadline;
    this.previous = undefined;
    this.next = undefined;
    this.#call = call;
    this.#late = late;
    this.#wheel = wheelOf(call.clock);
    this.#wheel.add(this);
  }

  remove(): void {
    this.#wheel.remove(this);
  }

  expire(): void {
    if (!this.#call.cancelled) this.#call.cancel(this.#late(this.#call));
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
  /** Calls share it: its value stays. */
  readonly shared: boolean;
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
