import {
  Call,
  FlotillaError,
  type Instance,
  type InstanceStatus,
  leaseDefaults,
  type Registrar,
  type Registration,
  type Timer,
} from '@flotilla/core';
import { Backoff, jittered } from '../client/backoff.ts';
import { isRefusal } from './contact.ts';
import type { SourceLog } from './log.ts';
import type { Moment } from './loop.ts';
import { reasonOf } from './readable.ts';

/** Port: where a foreign registry keeps one instance. Each step ends with its call. */
export interface Place {
  /** Writes what the instance says of itself, over what is there. @throws FlotillaError */
  put(instance: Instance, call: Call): Promise<void>;
  /** A sign of life. @returns false when the registry does not know the instance (any more). @throws FlotillaError */
  renew(instance: Instance, call: Call): Promise<boolean>;
  /** Takes it out; one that is not there is no error. @throws FlotillaError */
  remove(instance: Instance, call: Call): Promise<void>;
}

/** How a foreign registrar keeps time. */
export interface KeeperTimes {
  /** One step at the registry takes no longer, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Between two signs of life, when the instance's lease does not say, ± 20 %. */
  readonly renewEveryMs?: number;
}

/** A registrar that holds something open. */
export interface OpenRegistrar {
  readonly registrar: Registrar;
  /** Stops renewing without a word: what is registered lapses. */
  close(): void;
  /** Renews all before their time: something happened after which the registry may not know us. */
  renewNow(): void;
}

/** A registrar over the {@link Place} of each instance. */
export function keptRegistrar(place: Place, parts: Moment & { log: SourceLog; times: KeeperTimes }): OpenRegistrar {
  const keepers = new Set<Keeper>();
  return {
    registrar: {
      register(instance: Instance): Registration {
        const keeper: Keeper = new Keeper(instance, place, { ...parts, released: () => keepers.delete(keeper) });
        keepers.add(keeper);
        return keeper;
      },
    },
    close() {
      for (const keeper of [...keepers]) keeper.release();
    },
    renewNow() {
      for (const keeper of keepers) keeper.renewNow();
    },
  };
}

/** A registrar for places where instances are made known by somebody else: it says so, once each, and does nothing. */
export function silentRegistrar(log: SourceLog, reason: string): Registrar {
  return {
    register(instance) {
      log.notRegistered({ service: instance.identity.service, instanceId: instance.id, reason });
      const done = Promise.resolve();
      return { announced: done, setStatus: () => done, setWeight: () => done, deregister: () => done };
    },
  };
}

interface KeeperParts extends Moment {
  readonly log: SourceLog;
  readonly times: KeeperTimes;
  readonly released: () => void;
}

/**
 * Keeps one instance registered.
 *
 * | state | does | exits |
 * |---|---|---|
 * | unregistered | puts, after failures with backoff | done → registered |
 * | registered | renews every `renewEveryMs` ± 20 % | not known there → unregistered at once; what it says changed → unregistered |
 * | left | nothing | none |
 */
class Keeper implements Registration {
  readonly announced: Promise<void>;
  readonly #place: Place;
  readonly #parts: KeeperParts;
  readonly #backoff: Backoff;
  readonly #renewEveryMs: number;
  #instance: Instance;
  /** What the registry has; differs from `#instance` while a change is on its way. */
  #registered: Instance | undefined;
  #said = false;
  #timer: Timer | undefined;
  /** Steps one after the other. */
  #tail: Promise<void> = Promise.resolve();
  #call: Call | undefined;
  #left: Promise<void> | undefined;
  #refusal = '';

  constructor(instance: Instance, place: Place, parts: KeeperParts) {
    this.#instance = instance;
    this.#place = place;
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
    this.#renewEveryMs = parts.times.renewEveryMs ?? instance.lease?.renewEveryMs ?? leaseDefaults.renewEveryMs;
    this.announced = this.#stepNow();
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    const before = this.#instance.status;
    if (this.#left || status === before) return;
    this.#parts.log.statusSet({ ...this.#names, before, after: status });
    await this.#say({ status });
  }

  async setWeight(weight: number): Promise<void> {
    if (this.#left || weight === this.#instance.weight) return;
    await this.#say({ weight });
  }

  deregister(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  renewNow(): void {
    if (!this.#left && !this.#call) void this.#stepNow();
  }

  release(): void {
    this.#left ??= Promise.resolve();
    this.#halt();
  }

  get #names(): { service: string; instanceId: string } {
    return { service: this.#instance.identity.service, instanceId: this.#instance.id };
  }

  #say(change: Partial<Pick<Instance, 'status' | 'weight'>>): Promise<void> {
    const incarnation = Math.max(this.#instance.incarnation + 1, Math.floor(this.#parts.clock.wallNow()));
    this.#instance = { ...this.#instance, ...change, incarnation };
    return this.#stepNow();
  }

  #stepNow(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#tail = this.#tail.then(() => this.#step());
    return this.#tail;
  }

  /** Never rejects. */
  async #step(): Promise<void> {
    if (this.#left) return;
    const call = this.#makeCall();
    this.#call = call;
    try {
      const sent = this.#instance;
      if (this.#registered !== sent || !(await this.#renew(call))) await this.#put(sent, call);
      this.#backoff.reset();
      this.#plan(jittered(this.#renewEveryMs, this.#parts.random));
    } catch (thrown) {
      this.#noteRefusal(thrown);
      this.#plan(this.#backoff.nextMs());
    } finally {
      call.end();
      this.#call = undefined;
    }
  }

  async #renew(call: Call): Promise<boolean> {
    if (await this.#place.renew(this.#instance, call)) return true;
    this.#registered = undefined;
    this.#parts.log.forgotten(this.#names);
    return false;
  }

  async #put(sent: Instance, call: Call): Promise<void> {
    await this.#place.put(sent, call);
    if (!this.#said) this.#parts.log.registered(this.#names);
    this.#said = true;
    this.#registered = sent;
    this.#refusal = '';
  }

  #plan(delayMs: number): void {
    if (this.#left) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.setTimer(delayMs, () => void this.#stepNow(), { background: true });
  }

  async #leave(): Promise<void> {
    this.#halt();
    await this.#tail; // a put that is on its way would bring us back
    const call = this.#makeCall();
    try {
      await this.#place.remove(this.#instance, call);
      this.#parts.log.deregistered(this.#names);
    } catch (cause) {
      this.#parts.log.leftUnheard({ ...this.#names, cause });
    } finally {
      call.end();
    }
  }

  #halt(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#call?.cancel(new FlotillaError('CANCELLED', 'the instance is leaving'));
    this.#parts.released();
  }

  #makeCall(): Call {
    const { clock, random, times } = this.#parts;
    return new Call({ clock, random, deadline: clock.now() + times.requestTimeoutMs });
  }

  /** That a registry cannot be reached is said by whoever tried; that it refuses us is said here, once for each reason. */
  #noteRefusal(thrown: unknown): void {
    if (this.#left || !(thrown instanceof FlotillaError)) return;
    if (thrown.code !== 'INVALID_INPUT' && !isRefusal(thrown)) return;
    const reason = reasonOf(thrown);
    if (reason === this.#refusal) return;
    this.#refusal = reason;
    this.#parts.log.registrationRefused({ ...this.#names, reason });
  }
}
