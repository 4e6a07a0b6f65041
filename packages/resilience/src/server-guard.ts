import {
  type Attribute,
  attribute,
  type Call,
  type Clock,
  type EndWatcher,
  FlotillaError,
  type Gate,
  type Outcome,
} from '@flotilla/core';
import { type AdaptiveLimit, addCall, growAtOnce, newLimit, reconfiguredLimit, turnWindow } from './adaptive-limit.ts';
import { nullEvents, type PolicyEvents, type PolicyKinds, tell } from './events.ts';
import { LiveChains } from './live-chain.ts';
import { idleLoad, type LoadSource, type ProcessLoad } from './load-source.ts';
import { Places, ranks } from './places.ts';
import { LocalRateLimiter, type RateLimiter } from './rate-limit.ts';
import type { ServerPolicies } from './server-policies.ts';
import { isShed, levelOf, type SheddingLevel, shareOf } from './shedding.ts';

/** What the guard of a process needs. */
export interface ServerGuardOptions {
  readonly policies: ServerPolicies;
  readonly clock: Clock;
  /** Default: the process is never busy, the limit follows latency alone. */
  readonly load?: LoadSource | undefined;
  readonly events?: PolicyEvents | undefined;
  /** Counts for the rate limit. Default: in this process. */
  readonly limiter?: RateLimiter | undefined;
  /** Counts where the limit is to be shared. Default: as any other. */
  readonly sharedLimiter?: RateLimiter | undefined;
  /** Did the call end with an error, though the answer was delivered? Its time then says nothing. Default: no call did. */
  readonly failed?: ((call: Call) => boolean) | undefined;
}

/** After a refusal nobody but critical calls waits for so many times `standingMs`. */
const closedTimes = 10;

/**
 * The limits of one serving process: how many calls it works on at a time, and who is refused when that is too few. One
 * guard for everything that it serves, by whatever transport; it outlives the filters, so that another configuration goes
 * on with what was learnt.
 */
export class ServerGuard {
  readonly clock: Clock;
  readonly events: PolicyEvents;
  readonly limiter: RateLimiter;
  readonly sharedLimiter: RateLimiter;
  readonly places: Places;
  /** The chains that are made of it. */
  readonly chains: LiveChains = new LiveChains();
  readonly #load: LoadSource;
  readonly #failed: (call: Call) => boolean;
  readonly #limit: AdaptiveLimit;
  #policies: ServerPolicies;
  #level: SheddingLevel = 'calm';
  #queuedSince = 0;
  #queueClosedUntil = Number.NEGATIVE_INFINITY;
  #refused = 0;

  constructor(options: ServerGuardOptions) {
    this.clock = options.clock;
    this.events = options.events ?? nullEvents;
    this.limiter = options.limiter ?? new LocalRateLimiter();
    this.sharedLimiter = options.sharedLimiter ?? this.limiter;
    this.#load = options.load ?? idleLoad;
    this.#failed = options.failed ?? (() => false);
    this.#policies = options.policies;
    this.#limit = newLimit(options.policies.concurrency, options.clock.now());
    const { afterTurn } = this.#load;
    this.places = new Places({
      limitOf: (rank) => shareOf(rank, this.#limit.limit, this.#policies.shedding),
      freshestFirst: () => this.clock.now() < this.#queueClosedUntil,
      ...(afterTurn && {
        turnLimitOf: (rank) => this.#turnLimitOf(rank),
        afterTurn: (listener) => this.#load.afterTurn?.(listener),
      }),
    });
  }

  get policies(): ServerPolicies {
    return this.#policies;
  }

  /** The limit as it stands now. */
  get limit(): number {
    return Math.floor(this.#limit.limit);
  }

  /**
   * How many calls it could take within a time, by its limit and by how long calls take lately: what may be promised to a peer
   * that asks. A million without a limit.
   */
  allowance(withinMs: number): number {
    if (!this.#policies.concurrency.enabled) return 1_000_000;
    return Math.min(1_000_000, Math.ceil((this.limit * withinMs) / Math.max(1, this.#limit.lastMeanMs)));
  }

  get level(): SheddingLevel {
    return this.#level;
  }

  /** Calls refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** How busy the process is. */
  get load(): ReturnType<LoadSource['load']> {
    return this.#load.load(this.clock.now());
  }

  configure(policies: ServerPolicies): void {
    this.#policies = policies;
    reconfiguredLimit(this.#limit, policies.concurrency);
    this.places.admit();
    this.chains.rebuild();
  }

  /**
   * Sheds by the load of the process, whoever else is in flight. A process that has next to nothing in hand is never too
   * busy for one more call: its load is somebody else's.
   * @returns the error to refuse with
   */
  shed(call: Call, operation: string, now: number): FlotillaError | undefined {
    const { shedding, concurrency } = this.#policies;
    const load = this.#load.load(now);
    const level = levelOf(load, shedding);
    if (level !== this.#level) this.#changeLevel(level, load.loopDelayMs, load.heapFraction);
    if (level === 'calm' || !isShed(ranks[call.priority], level)) return undefined;
    if (this.places.inFlight < concurrency.minLimit) return undefined;
    return this.#refuseAt(level, load, call, operation);
  }

  #refuseAt(level: SheddingLevel, load: ProcessLoad, call: Call, operation: string): FlotillaError {
    const { loopDelayMs, heapFraction } = load;
    const numbers = `its event loop is ${Math.round(loopDelayMs)} ms late, ${Math.round(heapFraction * 100)} % of its heap is in use`;
    return this.#refuse(call, operation, `the process is ${level}: ${numbers}`);
  }

  /** Takes a place at once. @returns false: there is none. */
  enter(call: Call, now: number): boolean {
    const rank = ranks[call.priority];
    if (this.places.enter(rank)) return true;
    return this.places.isFull(rank) && this.#grow(now) && this.places.enter(rank);
  }

  /** Waits for a place, or refuses. Rejects with the error to refuse with. */
  async queue(call: Call, operation: string): Promise<void> {
    const { queue } = this.#policies;
    this.#limit.keptOut = true;
    if (!this.#mayWait(call)) throw this.#full(call, operation);
    if (this.places.queued === 0) this.#queuedSince = call.clock.now();
    tell(this.events, call.clock, 'concurrency', 'queued', 'server', operation);
    if ((await this.places.wait(call, ranks[call.priority], queue)) !== undefined) throw this.#full(call, operation);
  }

  /** Of next to nothing in hand a turn is not so long that others have to wait for the next one. */
  #turnLimitOf(rank: number): number {
    const { turnLimit } = this.#limit;
    if (turnLimit === Infinity) return Infinity;
    const { shedding, concurrency } = this.#policies;
    const most = shareOf(rank, turnLimit, shedding);
    return this.places.inFlight < concurrency.minLimit ? Math.max(most, concurrency.minLimit) : most;
  }

  /** A call has a place: it gives it back when it ends, or before. @param timed the operation whose time says something */
  hold(call: Call, timed: string | undefined, now: number): HeldPlace {
    if (this.places.inFlight > this.#limit.peak) this.#limit.peak = this.places.inFlight;
    const held = new HeldPlace(this, call, timed, now);
    call.tells(held);
    return held;
  }

  /** Of the place. @param timed the operation that took as long as it should have, from `heldAt` on */
  left(call: Call, timed: string | undefined, heldAt: number): void {
    const now = call.ended ? call.endedAt : call.clock.now();
    this.#limit.ended += 1;
    if (timed !== undefined && !this.#failed(call)) addCall(this.#limit, timed, now - heldAt);
    this.places.leave();
    if (this.places.queued > 0) this.#grow(now);
    const move = turnWindow(this.#limit, now, this.#load.load(now), this.#policies.concurrency);
    if (!move || Math.floor(move.before) === this.limit) return;
    const raised = this.limit > move.before;
    if (raised) this.places.admit();
    const { ratio, loopDelayMs } = move;
    this.#tell('concurrency', raised ? 'raised' : 'lowered', { limit: this.limit, ratio, loopDelayMs });
  }

  /** Raises the limit at once, if nothing speaks against it. */
  #grow(now: number): boolean {
    if (!growAtOnce(this.#limit, now, this.#load.load(now), this.#policies.concurrency)) return false;
    this.places.admit();
    return true;
  }

  /**
   * A burst may wait. A queue that is never empty only makes everybody late: then as many are refused as come, but those
   * that have waited for longest, and who has just come is answered in time.
   */
  #mayWait(call: Call): boolean {
    const { maxQueued, standingMs } = this.#policies.queue;
    if (maxQueued === 0) return false;
    const now = call.clock.now();
    const standing = this.places.queued > 0 && now - this.#queuedSince >= standingMs;
    if (call.priority === 'critical' || (!standing && now >= this.#queueClosedUntil)) return true;
    this.#queueClosedUntil = now + closedTimes * standingMs;
    return this.places.dropStalest(ranks[call.priority]);
  }

  #full(call: Call, operation: string): FlotillaError {
    const { queue } = this.#policies;
    this.#queueClosedUntil = call.clock.now() + closedTimes * queue.standingMs;
    return this.#refuse(call, operation, this.#fullness(call));
  }

  #fullness({ priority }: Call): string {
    const { inFlight, inTurn } = this.places;
    const limit = Math.floor(shareOf(ranks[priority], this.#limit.limit, this.#policies.shedding));
    return inFlight >= limit
      ? `${inFlight} calls are in hand, the limit for ${priority} ones is ${limit}`
      : `${inTurn} calls began in this turn of the event loop, which bears no more ${priority} ones`;
  }

  #refuse(call: Call, operation: string, why: string): FlotillaError {
    this.#refused += 1;
    tell(this.events, call.clock, 'shedding', 'refused', 'server', operation);
    const { retryAfterMs } = this.#policies.shedding;
    return quickError(`not started: ${why}; the caller may try another instance`, {
      executed: 'no',
      // Give or take a half, so that those who were refused together do not come back together.
      retryAfterMs: Math.ceil(retryAfterMs * (0.5 + call.random())),
    });
  }

  #changeLevel(level: SheddingLevel, loopDelayMs: number, heapFraction: number): void {
    const began = this.#level === 'calm';
    const ended = level === 'calm';
    this.#level = level;
    if (began || ended) this.#tell('shedding', ended ? 'ended' : 'began', { loopDelayMs, heapFraction });
  }

  #tell<Name extends 'concurrency' | 'shedding'>(
    policy: Name,
    kind: PolicyKinds[Name],
    numbers: Readonly<Record<string, number>>,
  ): void {
    tell(this.events, this.clock, policy, kind, 'server', undefined, numbers);
  }
}

/** How a chain of the server uses the guard. */
export interface GuardedOptions {
  readonly guard: ServerGuard;
  /** `catalog.product` */
  readonly operation: string;
  /**
   * Until when it keeps its place: `end`, its last byte; `head`, when its answer begins. Default `end`. For what may stay
   * open for long and wait for events most of the time: it would keep others out for nothing, and what its elements cost
   * shows in the delay of the event loop.
   */
  readonly until?: 'end' | 'head' | undefined;
  /** False: its time depends on what it waits for, and says nothing of the load. Default true. */
  readonly timed?: boolean | undefined;
}

/** The place of one call. */
class HeldPlace implements EndWatcher {
  nextWatcher: EndWatcher | undefined = undefined;
  readonly #guard: ServerGuard;
  readonly #call: Call;
  readonly #timed: string | undefined;
  readonly #heldAt: number;
  #left = false;

  constructor(guard: ServerGuard, call: Call, timed: string | undefined, now: number) {
    this.#guard = guard;
    this.#call = call;
    this.#timed = timed;
    this.#heldAt = now;
  }

  ended(outcome: Outcome): void {
    this.leave(outcome === undefined);
  }

  /** @param well its time says something. The first time counts. */
  leave(well: boolean): void {
    if (this.#left) return;
    this.#left = true;
    this.#guard.left(this.#call, well ? this.#timed : undefined, this.#heldAt);
  }
}

/** Refuses what the process is too busy for. Errors: UNAVAILABLE with `executed: 'no'` and `retryAfterMs`. */
export function shedding({ guard, operation }: GuardedOptions): Gate {
  return {
    enter(call, now) {
      const refusal = guard.shed(call, operation, now);
      if (refusal) throw refusal;
      return undefined;
    },
  };
}

/**
 * Works on as many calls at a time as the guard's limit allows; a burst waits a moment, what is more is refused. Errors:
 * UNAVAILABLE with `executed: 'no'` and `retryAfterMs`.
 */
export function adaptiveConcurrency({ guard, operation, until = 'end', timed = true }: GuardedOptions): Gate {
  const hold = (call: Call, now: number): void => {
    const held = guard.hold(call, timed ? operation : undefined, now);
    if (until === 'head') call.set(heldAttribute, held);
  };
  const wait = async (call: Call): Promise<void> => {
    await guard.queue(call, operation);
    hold(call, call.clock.now());
  };
  return {
    enter(call, now) {
      if (!guard.enter(call, now)) return wait(call);
      hold(call, now);
      return undefined;
    },
    ...(until === 'head' && { begun: (call: Call, well: boolean) => call.get(heldAttribute)?.leave(well) }),
  };
}

/** The place of a call that gives it back when its answer begins. */
const heldAttribute: Attribute<HeldPlace> = attribute('heldPlace');

/** An error without a trace of the stack: a refusal has to cost next to nothing, and its place is known. */
function quickError(detail: string, details: ConstructorParameters<typeof FlotillaError>[2]): FlotillaError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new FlotillaError('UNAVAILABLE', detail, details);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
