import type { Clock, Random } from '@flotilla/core';
import type { BalanceLog } from './log.ts';
import type { Member } from './member.ts';
import type { BalanceMetrics } from './metrics.ts';
import { afterOutcome, afterTime, hasRoom, isPanic, type Judgement, type OutlierSettings } from './outlier.ts';
import { createPicker, type Picker, type PickPolicy } from './pick.ts';

/** What a rotation is made of. */
export interface RotationOptions<Req, Res> {
  readonly policy: PickPolicy;
  readonly random: Random;
  readonly clock: Clock;
  readonly settings: OutlierSettings;
  readonly log: BalanceLog;
  readonly metrics: BalanceMetrics;
  /** The members that may receive calls, ejected or not. */
  readonly up: () => readonly Member<Req, Res>[];
}

/**
 * The members that calls go to: those that are up, without the ejected ones, unless too few would be left. It changes when
 * the live set does, when an instance is ejected, and when its time is over; in between a pick allocates nothing.
 */
export class Rotation<Req, Res> {
  readonly #options: RotationOptions<Req, Res>;
  #candidates: readonly Member<Req, Res>[] = [];
  #next: Picker<Member<Req, Res>> = () => undefined;
  #up = 0;
  #ejected = 0;
  #panic = false;
  /** When the first of the ejected comes back. No timer: the next pick looks. */
  #readmitAt = Infinity;

  constructor(options: RotationOptions<Req, Res>) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#candidates.length === 0;
  }

  /** How many may receive calls, ejected or not. */
  get up(): number {
    return this.#up;
  }

  /** @param tried members to avoid if there is any other, even an ejected one: who failed just now is no better. */
  pick(tried?: ReadonlySet<object>): Member<Req, Res> | undefined {
    if (this.#readmitAt !== Infinity && this.#options.clock.now() >= this.#readmitAt) this.rebuild();
    if (!tried) return this.#next();
    const next = this.#untried(this.#candidates, tried) ?? this.#untried(this.#options.up(), tried);
    return next ?? this.#next();
  }

  #untried(members: readonly Member<Req, Res>[], tried: ReadonlySet<object>): Member<Req, Res> | undefined {
    const untried = members.filter((member) => !tried.has(member));
    return createPicker('least-loaded', untried, this.#options.random)();
  }

  /** One outcome of a member; it may be ejected for it. */
  judged(member: Member<Req, Res>, judgement: Judgement): void {
    const { clock, settings } = this.#options;
    if (judgement === 'failure') member.failures += 1;
    const before = member.health;
    const now = clock.now();
    member.health = afterOutcome(before, judgement, now, settings, hasRoom(this.#up, this.#ejected, settings));
    if (member.health.state === before.state) return;
    if (member.health.state === 'ejected') this.#announce(member, now);
    this.rebuild();
  }

  /** Looks anew at who is up and who is ejected. */
  rebuild(): void {
    const { policy, random, clock, settings, log } = this.#options;
    const now = clock.now();
    const up = this.#options.up();
    const healthy = up.filter((member) => {
      const health = afterTime(member.health, now);
      if (health !== member.health) log.readmitted(member);
      member.health = health;
      return health.state === 'healthy';
    });
    this.#up = up.length;
    this.#ejected = up.length - healthy.length;
    this.#readmitAt = firstReadmission(up);
    this.#setPanic(isPanic(this.#up, this.#ejected, settings));
    this.#candidates = this.#panic ? up : healthy;
    this.#next = createPicker(policy, this.#candidates, random);
    this.#options.metrics.picked.set(this.#candidates.length);
    this.#options.metrics.ejected.set(this.#ejected);
  }

  #announce(member: Member<Req, Res>, now: number): void {
    if (member.health.state !== 'ejected') return;
    this.#options.log.ejected(member, member.health.until - now, member.health.timesEjected);
    this.#options.metrics.ejections.add();
  }

  #setPanic(panic: boolean): void {
    if (panic === this.#panic) return;
    this.#panic = panic;
    if (panic) this.#options.log.panicBegan(this.#up, this.#ejected);
    else this.#options.log.panicEnded(this.#up, this.#ejected);
  }
}

function firstReadmission<Req, Res>(members: readonly Member<Req, Res>[]): number {
  let first = Infinity;
  for (const { health } of members) if (health.state === 'ejected') first = Math.min(first, health.until);
  return first;
}
