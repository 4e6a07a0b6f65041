import type { Call, Clock, Instance, Random } from '@flotilla/core';
import { Hints } from './hints.ts';
import type { BalanceLog } from './log.ts';
import type { Member } from './member.ts';
import type { BalanceMetrics } from './metrics.ts';
import { afterOutcome, afterTime, hasRoom, isFailing, type Judgement } from './outlier.ts';
import { type PickWish, pickWish } from './pick-wish.ts';
import type { Picker } from './picks/candidate.ts';
import { createPicker } from './picks/pick.ts';
import { StickyMemory, sticky } from './picks/sticky.ts';
import { type Division, divide, type Lane } from './rules/chain.ts';
import { chooseLane } from './rules/lane.ts';
import type { BalanceSettings } from './settings.ts';

/** What a rotation is made of. */
export interface RotationOptions<Req, Res> {
  readonly random: Random;
  readonly clock: Clock;
  readonly zone: string | undefined;
  readonly caller: string;
  readonly log: BalanceLog;
  readonly metrics: BalanceMetrics;
  /** The members that may receive calls, ejected or not. */
  readonly up: () => readonly Member<Req, Res>[];
}

/** The candidates of one lane and how they are picked. */
interface Pool<M> {
  readonly lane: Lane<M>;
  readonly picker: Picker<M>;
}

/**
 * The members that calls go to, as the rules say. It changes when the live set or the settings do, when an instance is
 * ejected, and when time alone changes something; in between a pick allocates nothing.
 */
export class Rotation<Req, Res> {
  readonly #options: RotationOptions<Req, Res>;
  #settings: BalanceSettings;
  /** Those that may receive calls, as of the last look. */
  #up: readonly Member<Req, Res>[] = [];
  #division: Division<Member<Req, Res>>;
  #base: Pool<Member<Req, Res>>;
  #labelled: ReadonlyMap<string, Pool<Member<Req, Res>>> = new Map();
  /** Pickers that keep an order by load. */
  #ordered: readonly Picker<Member<Req, Res>>[] = [];
  #hints: Hints<Member<Req, Res>> | undefined;
  /** Whom keys had last, by lane; the base is ''. */
  readonly #memories = new Map<string, StickyMemory>();
  #panic = false;
  #inFlight = 0;
  readonly #countInFlight = (): number => this.#inFlight;

  constructor(settings: BalanceSettings, options: RotationOptions<Req, Res>) {
    this.#options = options;
    this.#settings = settings;
    this.#division = this.#divide([]);
    this.#base = this.#poolOf(this.#division.base, '');
  }

  /** Calls in flight of all members, those that left included. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get isEmpty(): boolean {
    return this.#base.lane.candidates.length === 0;
  }

  /** How many may receive calls, ejected or not. */
  get up(): number {
    return this.#up.length;
  }

  /** What the rules said last. */
  get division(): Division<Member<Req, Res>> {
    return this.#division;
  }

  /** Other settings count from now on. */
  configure(settings: BalanceSettings): void {
    if (settings.maxKeys !== this.#settings.maxKeys) this.#memories.clear();
    this.#settings = settings;
    this.rebuild();
  }

  /** @param tried members to avoid if there is any other, even an ejected one: who failed just now is no better. */
  pick(call: Call, now: number, tried?: ReadonlySet<object>): Member<Req, Res> | undefined {
    if (now >= this.#division.againAt) this.rebuild();
    const pool = this.#labelled.size > 0 ? this.#poolFor(call) : this.#base;
    const wish = call.get(pickWish);
    if (tried) {
      const next = this.#untried(pool.lane, tried, now);
      if (next) return next;
    } else if (wish?.hint !== undefined) {
      const hinted = this.#hinted(wish, pool, now);
      if (hinted) return hinted;
    }
    const member = pool.picker.next(now, wish?.key);
    if (pool.lane.spare.length > 0 && member?.status !== 'open') return this.#spare(pool.lane, now) ?? member;
    return member;
  }

  /** Looks anew if time alone has changed the answer. */
  refresh(): void {
    if (this.#options.clock.now() >= this.#division.againAt) this.rebuild();
  }

  /** A member has got a call. */
  began(member: Member<Req, Res>, now: number): void {
    member.load += 1;
    this.#inFlight += 1;
    member.latency.began(now);
    for (const picker of this.#ordered) picker.changed?.(member);
  }

  /** A call of a member has ended, to its last byte. */
  ended(member: Member<Req, Res>): void {
    member.load -= 1;
    this.#inFlight -= 1;
    for (const picker of this.#ordered) picker.changed?.(member);
  }

  /** One outcome of a member that is up; it may be ejected for it. */
  judged(member: Member<Req, Res>, judgement: Judgement, now: number): void {
    const settings = this.#settings.outlier;
    if (judgement === 'failure') member.failures += 1;
    const before = member.health;
    const { known, ejected } = this.#division;
    member.health = afterOutcome(before, judgement, now, settings, hasRoom(known, ejected, settings));
    if (member.health.state === before.state) this.#suspect(member, now);
    else {
      if (member.health.state === 'ejected') this.#announce(member, now);
      this.rebuild();
    }
  }

  /** Looks anew at who is up, who is ejected, and what the rules make of it. */
  rebuild(): void {
    const { log, metrics, clock } = this.#options;
    const now = clock.now();
    this.#up = this.#options.up();
    for (const member of this.#up) this.#readmit(member, now, log);
    this.#division = this.#divide(this.#up);
    this.#base = this.#poolOf(this.#division.base, '');
    this.#labelled = new Map([...this.#division.labelled].map(([name, lane]) => [name, this.#poolOf(lane, name)]));
    for (const name of this.#memories.keys()) if (name !== '' && !this.#labelled.has(name)) this.#memories.delete(name);
    this.#ordered = [this.#base, ...this.#labelled.values()].flatMap(({ picker }) => (picker.changed ? picker : []));
    this.#hints = undefined;
    this.#setPanic(this.#division.panic);
    metrics.show(this.#division);
  }

  #lanes(): Lane<Member<Req, Res>>[] {
    return [this.#division.base, ...this.#division.labelled.values()];
  }

  #divide(up: readonly Member<Req, Res>[]): Division<Member<Req, Res>> {
    const { zone, caller, clock } = this.#options;
    return divide(up, { settings: this.#settings, zone, caller, now: clock.now(), wallNow: clock.wallNow() });
  }

  #poolOf(lane: Lane<Member<Req, Res>>, name: string): Pool<Member<Req, Res>> {
    const { pick, maxLoad, maxKeys, sameInstance } = this.#settings;
    const memory = this.#memories.get(name) ?? new StickyMemory(maxKeys);
    this.#memories.set(name, memory);
    const { candidates, weights } = lane;
    const picker = createPicker(pick, candidates, this.#options.random, {
      weights,
      maxLoad,
      memory,
      inFlight: this.#countInFlight,
    });
    return { lane, picker: sameInstance ? sticky(candidates, picker, memory) : picker };
  }

  #poolFor(call: Call): Pool<Member<Req, Res>> {
    const { baggage } = call;
    const label = baggage.size === 0 ? undefined : baggage.get(this.#settings.lane.baggage);
    return (label === undefined ? undefined : chooseLane(label, this.#labelled)) ?? this.#base;
  }

  /**
   * Another attempt goes to another zone if somebody is well there: the few that there are cost it nothing, and a zone that
   * is lost costs no call, also while only some of its instances are known to fail.
   */
  #untried(
    { spare, candidates, ownShare }: Lane<Member<Req, Res>>,
    tried: ReadonlySet<object>,
    now: number,
  ): Member<Req, Res> | undefined {
    const zones = new Set(this.#up.filter((member) => tried.has(member)).map(zoneOf));
    const elsewhere = ownShare === undefined ? [] : wellOutside(zones, [...spare, ...candidates], now);
    for (const members of [elsewhere, candidates, spare, this.#up]) {
      const member = this.#best(
        members.filter((candidate) => !tried.has(candidate)),
        now,
      );
      if (member) return member;
    }
    return undefined;
  }

  /** The better of two of them. For the calls that are not picked from a pool: they are few. */
  #best(members: readonly Member<Req, Res>[], now: number): Member<Req, Res> | undefined {
    return createPicker('peak-ewma', members, this.#options.random).next(now);
  }

  #hinted({ hint = '' }: PickWish, { lane }: Pool<Member<Req, Res>>, now: number): Member<Req, Res> | undefined {
    this.#hints ??= new Hints(this.#lanes().flatMap(({ candidates }) => candidates));
    const open = this.#hints.get(hint).filter(({ status }) => status === 'open');
    const ofLane = open.filter((member) => lane.candidates.includes(member));
    return this.#best(ofLane.length > 0 ? ofLane : open, now);
  }

  #spare({ spare }: Lane<Member<Req, Res>>, now: number): Member<Req, Res> | undefined {
    return this.#best(
      spare.filter(({ status }) => status === 'open'),
      now,
    );
  }

  /** Fails, and cannot be ejected: the zone counts it as one that cannot serve. */
  #suspect(member: Member<Req, Res>, now: number): void {
    const { outlier } = this.#settings;
    const failing = isFailing(member.health, outlier);
    const suspected = member.suspectUntil > now;
    if (failing === suspected) return;
    if (failing) member.suspectUntil = now + outlier.baseEjectionMs;
    else member.suspectUntil = 0;
    this.rebuild();
  }

  #readmit(member: Member<Req, Res>, now: number, log: BalanceLog): void {
    const health = afterTime(member.health, now);
    if (health === member.health) return;
    log.readmitted(member);
    member.health = health;
    member.latency.forget();
  }

  #announce(member: Member<Req, Res>, now: number): void {
    if (member.health.state !== 'ejected') return;
    this.#options.log.ejected(member, member.health.until - now, member.health.timesEjected);
    this.#options.metrics.ejections.add();
  }

  #setPanic(panic: boolean): void {
    if (panic === this.#panic) return;
    this.#panic = panic;
    const { known, ejected } = this.#division;
    if (panic) this.#options.log.panicBegan(known, ejected);
    else this.#options.log.panicEnded(known, ejected);
  }
}

/** Who is well and in none of these zones. */
function wellOutside<Req, Res>(
  zones: ReadonlySet<string>,
  members: readonly Member<Req, Res>[],
  now: number,
): readonly Member<Req, Res>[] {
  return members.filter(
    (member) => member.health.state === 'healthy' && member.suspectUntil <= now && !zones.has(zoneOf(member)),
  );
}

/** In the form in which zones are compared; those without one are together. */
function zoneOf({ instance }: { readonly instance: Instance }): string {
  return instance.zone?.toLowerCase() ?? '';
}
