import { Call, within } from '../call.ts';
import type { Clock, Random, Timer } from '../clock.ts';
import { FlotillaError } from '../errors.ts';
import { type Instance, type InstanceStatus, leaseDefaults } from '../instance.ts';
import type { Registrar, Registration } from '../resolver.ts';
import { backoffDefaults } from './backoff.ts';
import {
  asked,
  begin,
  changed,
  due,
  failed,
  forgotten,
  type Instants,
  type Keeping,
  keptAs,
  mostRaises,
  nextOf,
  outdone,
} from './keeping.ts';
import type { Place, PlaceOf } from './place.ts';

/** Which instance a line is about. */
export type KeptNames = { readonly service: string; readonly instanceId: string };

/** What is said of an instance that is being kept. States are said when they change, not each time that something is tried. */
export interface KeeperLog {
  /** @param facts.by who of several registries took it. */
  registered(facts: KeptNames & { by?: string }): void;
  forgotten(facts: KeptNames): void;
  /** Only by places that know incarnations. */
  raised?(facts: KeptNames & { from: number; to: number }): void;
  registrationRefused(facts: KeptNames & { status: number; reason: string }): void;
  statusSet(facts: KeptNames & { before: InstanceStatus; after: InstanceStatus }): void;
  deregistered(facts: KeptNames): void;
  leftUnheard(facts: KeptNames & { cause: unknown }): void;
}

/** How a {@link keptRegistrar} keeps time. */
export interface KeeperTimes {
  /** One request takes no longer, in milliseconds. Absent: the place sees to that. */
  readonly requestTimeoutMs?: number;
  /** Leaving takes no longer, in milliseconds, whether the place heard of it or not. */
  readonly leaveTimeoutMs: number;
}

/** What a {@link keptRegistrar} needs. */
export interface KeptParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: KeeperLog;
  readonly times: KeeperTimes;
  /** Failures that the owner should hear of; that nobody can be reached is said by whoever tried. Default: refusals by the peer. */
  readonly isRefusal?: (error: FlotillaError) => boolean;
}

/** A registrar that holds something open. */
export interface KeptRegistrar {
  readonly registrar: Registrar;
  /** Renews all before their time: something happened after which the place may not know us. */
  renewNow(): void;
  /** Stops renewing without a word: what is registered lapses. Nothing is registered after it. */
  close(): void;
}

/**
 * The one way in which instances are kept registered, whatever the registry: over the {@link Place} of each of them.
 *
 * ```ts
 * const kept = keptRegistrar(() => place, { clock, random, log, times: { leaveTimeoutMs: 2_000 } });
 * const registration = kept.registrar.register(instance);
 * await registration.setStatus('draining');
 * await registration.deregister();
 * ```
 */
export function keptRegistrar(placeOf: PlaceOf, parts: KeptParts): KeptRegistrar {
  const keepers = new Set<LeaseKeeper>();
  let closed = false;
  return {
    registrar: {
      register(instance, documents = []) {
        const released = (): void => void keepers.delete(keeper);
        const keeper: LeaseKeeper = new LeaseKeeper(instance, placeOf(instance, documents), parts, released);
        keepers.add(keeper);
        if (closed) keeper.release();
        return keeper;
      },
    },
    renewNow() {
      for (const keeper of keepers) keeper.renewNow();
    },
    close() {
      closed = true;
      for (const keeper of [...keepers]) keeper.release();
    },
  };
}

/**
 * Keeps one instance registered: asks its place what {@link Keeping} says, when it says, one thing after the other.
 *
 * | state | does | exits |
 * |---|---|---|
 * | keeping | waits until something is due, then asks until nothing is | `deregister` → leaving; `release` → left |
 * | leaving | lets a put end that is on its way, then takes the instance out | left |
 * | left | nothing | none |
 */
class LeaseKeeper implements Registration {
  readonly announced: Promise<void>;
  readonly noticed?: (limitMs: number) => Promise<boolean>;
  readonly #place: Place;
  readonly #parts: KeptParts;
  readonly #released: () => void;
  #keeping: Keeping;
  #timer: Timer | undefined;
  /** Requests that are due, one after the other. Invariant: while it is there, no timer is. */
  #running: Promise<void> | undefined;
  #request: { readonly kind: 'put' | 'renew'; readonly call: Call } | undefined;
  #left: Promise<void> | undefined;
  #refusal = '';

  constructor(instance: Instance, place: Place, parts: KeptParts, released: () => void) {
    this.#place = place;
    this.#parts = parts;
    this.#released = released;
    const renewEveryMs = (instance.lease ?? leaseDefaults).renewEveryMs;
    this.#keeping = begin(instance, renewEveryMs, parts.clock.now());
    if (place.noticed) this.noticed = (limitMs) => this.#noticed(limitMs);
    this.announced = this.#go();
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    const before = this.#keeping.instance.status;
    if (this.#left || status === before) return;
    this.#parts.log.statusSet({ ...this.#names, before, after: status });
    await this.#say({ status });
  }

  async setWeight(weight: number): Promise<void> {
    if (this.#left || weight === this.#keeping.instance.weight) return;
    await this.#say({ weight });
  }

  deregister(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  /** Does nothing while something is being asked: that finds out. */
  renewNow(): void {
    if (!this.#left && !this.#running) void this.#dueNow();
  }

  /** Stops without a word: the lease lapses. */
  release(): void {
    this.#left ??= Promise.resolve();
    this.#halt();
    this.#request?.call.cancel(leaving());
  }

  get #names(): KeptNames {
    const { instance } = this.#keeping;
    return { service: instance.identity.service, instanceId: instance.id };
  }

  get #instants(): Instants {
    const { clock } = this.#parts;
    return { now: clock.now(), wallNow: clock.wallNow() };
  }

  /** What the instance says of itself changed. Resolves when that was put, or failed, or has to wait. */
  async #say(change: Partial<Pick<Instance, 'status' | 'weight'>>): Promise<void> {
    const { now, wallNow } = this.#instants;
    const instance = changed(this.#keeping.instance, change, wallNow);
    const waitMs = this.#place.changeWaitMs?.(instance, now) ?? 0;
    this.#keeping = due({ ...this.#keeping, instance }, now + waitMs);
    if (waitMs === 0) await this.#go();
    else if (!this.#running) this.#plan();
  }

  #dueNow(): Promise<void> {
    this.#keeping = due(this.#keeping, this.#parts.clock.now());
    return this.#go();
  }

  #go(): Promise<void> {
    this.#timer?.cancel();
    this.#running ??= Promise.resolve().then(() => this.#run());
    return this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (!this.#left && this.#keeping.dueAt <= this.#parts.clock.now()) await this.#ask(this.#keeping);
    this.#running = undefined;
    this.#plan();
  }

  #plan(): void {
    this.#timer?.cancel();
    if (this.#left) return;
    const { clock } = this.#parts;
    const delayMs = Math.max(0, this.#keeping.dueAt - clock.now());
    this.#timer = clock.setTimer(delayMs, () => void this.#dueNow(), { background: true });
  }

  async #ask(keeping: Keeping): Promise<void> {
    const { clock, random, times } = this.#parts;
    const kind = nextOf(keeping);
    const call = new Call({ clock, random, deadline: clock.now() + (times.requestTimeoutMs ?? Infinity) });
    this.#request = { kind, call };
    this.#keeping = asked(keeping);
    try {
      await (kind === 'put' ? this.#put(keeping, call) : this.#renew(keeping.instance, call));
    } catch (thrown) {
      this.#noteRefusal(thrown);
      const bounds = this.#place.backoff ?? backoffDefaults;
      this.#keeping = failed(this.#keeping, thrown, bounds, clock.now(), random);
    } finally {
      call.end();
      this.#request = undefined;
    }
  }

  async #put({ instance: sent, kept, raises }: Keeping, call: Call): Promise<void> {
    const { clock, random, log } = this.#parts;
    const answer = await within(call, this.#place.put(sent, call, kept));
    if (answer.kind === 'stale') {
      if (raises >= mostRaises) throw answer.refusal;
      const from = this.#keeping.instance.incarnation;
      this.#keeping = outdone(this.#keeping, answer.above, this.#instants);
      log.raised?.({ ...this.#names, from, to: this.#keeping.instance.incarnation });
      return;
    }
    this.#keeping = keptAs(this.#keeping, sent, answer.renewEveryMs, clock.now(), random);
    this.#refusal = '';
    const { by } = answer;
    if (!kept) log.registered({ ...this.#names, ...(by === undefined ? undefined : { by }) });
  }

  async #renew(sent: Instance, call: Call): Promise<void> {
    const { clock, random, log } = this.#parts;
    const answer = await within(call, this.#place.renew(sent, call));
    if (answer.kind === 'kept') {
      this.#keeping = keptAs(this.#keeping, sent, undefined, clock.now(), random);
      return;
    }
    this.#keeping = forgotten(this.#keeping, answer.above, this.#instants);
    log.forgotten(this.#names);
  }

  async #noticed(limitMs: number): Promise<boolean> {
    if (this.#left || !this.#place.noticed) return false;
    return this.#place.noticed(this.#keeping.instance, limitMs);
  }

  async #leave(): Promise<void> {
    const { clock, random, times, log } = this.#parts;
    const deadline = clock.now() + times.leaveTimeoutMs;
    this.#halt();
    await this.#quiet(times.leaveTimeoutMs / 2);
    const call = new Call({ clock, random, deadline });
    try {
      await within(call, this.#place.remove(this.#keeping.instance, call));
      log.deregistered(this.#names);
    } catch (cause) {
      log.leftUnheard({ ...this.#names, cause });
    } finally {
      call.end();
    }
  }

  /**
   * Until nothing is on its way. A put that is broken off may still arrive, after our farewell, and bring us back: it may
   * take a while to end. A renewal brings nobody back.
   */
  async #quiet(patienceMs: number): Promise<void> {
    const request = this.#request;
    const breakOff = (): void => request?.call.cancel(leaving());
    const timer =
      request?.kind === 'put' ? this.#parts.clock.setTimer(patienceMs, breakOff, { background: true }) : breakOff();
    await this.#running;
    timer?.cancel();
  }

  #halt(): void {
    this.#timer?.cancel();
    this.#released();
  }

  /** Once for each reason. */
  #noteRefusal(thrown: unknown): void {
    const { isRefusal = refusedByPeer, log } = this.#parts;
    if (this.#left || !(thrown instanceof FlotillaError) || !isRefusal(thrown)) return;
    if (thrown.detail === this.#refusal) return;
    this.#refusal = thrown.detail;
    log.registrationRefused({ ...this.#names, status: thrown.httpStatus, reason: thrown.detail });
  }
}

function refusedByPeer({ fromPeer, httpStatus }: FlotillaError): boolean {
  return fromPeer && httpStatus < 500;
}

function leaving(): FlotillaError {
  return new FlotillaError('CANCELLED', 'the instance is leaving');
}
