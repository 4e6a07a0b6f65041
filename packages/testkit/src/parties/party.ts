import type { Clock, Logger, Meter, Random, Tracer } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';
import type { RpcTransport } from '@flotilla/rpc';
import { plainTransport } from 'flotilla';
import type { FaultyNetwork } from '../network/faulty-network.ts';
import type { Engines, PartyName, PartyNetwork } from '../network/party-network.ts';
import type { Records } from '../records/records.ts';
import { PartyClock } from './party-clock.ts';

/** What one start of a party runs on. */
export interface PartyRuntime {
  readonly network: HttpNetwork;
  /** Calls over RSocket where a callee advertises it. */
  readonly fast?: RpcTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer;
}

/** A party that is up. */
export interface Up<T> {
  readonly value: T;
  /** Leaves well. */
  stop(reason: string): Promise<void>;
  /** What has to be given back even when its party was killed, because this process lives on: a database that is open. */
  release?(): Promise<void>;
}

/** What every party of a fleet shares. */
export interface Ground {
  readonly wires: FaultyNetwork;
  readonly clock: Clock;
  readonly records: Records;
  randomFor(name: string): Random;
}

/**
 * One process, if the fleet were spread over machines.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | `down` | nothing: it was never started, was stopped or killed | `up` |
 * | `up` | everything | `down`, by {@link stop} or {@link kill} |
 */
export class Party<T> {
  readonly name: string;
  readonly group: string;
  readonly #ground: Ground;
  readonly #engines: Engines;
  readonly #begin: (runtime: PartyRuntime) => Promise<Up<T>>;
  #up: (Up<T> & { readonly clock: PartyClock; readonly network: PartyNetwork; die(): void }) | undefined;
  #starts = 0;

  constructor(
    { name, group }: PartyName,
    ground: Ground,
    engines: Engines,
    begin: (runtime: PartyRuntime) => Promise<Up<T>>,
  ) {
    this.name = name;
    this.group = group;
    this.#ground = ground;
    this.#engines = engines;
    this.#begin = begin;
    ground.wires.add(this);
  }

  /** What runs. @throws Error while it is down. */
  get value(): T {
    if (!this.#up) throw new Error(`${this.name} is down; start it with fleet.restart('${this.name}')`);
    return this.#up.value;
  }

  get running(): boolean {
    return this.#up !== undefined;
  }

  async start(): Promise<void> {
    if (this.#up) throw new Error(`${this.name} runs already`);
    const { wires, records, randomFor } = this.#ground;
    const clock = new PartyClock(this.#ground.clock);
    const network = wires.viewOf(this, this.#engines, clock);
    let alive = true;
    const random = randomFor(`${this.name} ${this.#starts++}`);
    const die = (): void => {
      alive = false;
      clock.stop();
    };
    try {
      const fast = network.transport(plainTransport({ network, random }), random);
      const recorded = records.of(this.name, clock, () => alive);
      const up = await this.#begin({ network, clock, random, ...(fast && { fast }), ...recorded });
      this.#up = { ...up, clock, network, die };
    } catch (thrown) {
      die();
      await network.kill();
      throw thrown;
    }
  }

  /** Leaves well. @returns what it left behind. */
  async stop(reason: string): Promise<string[]> {
    const up = this.#up;
    if (!up) return [];
    this.#up = undefined;
    await up.stop(reason);
    const left = [...up.clock.leftovers(), ...up.network.leftovers()];
    up.die();
    await up.network.kill();
    return left.map((what) => `${this.name} left ${what}`);
  }

  /**
   * Ends it as SIGKILL would: nothing is said, nothing is deregistered, connections break, and none of its timers fires
   * any more. Only what this process would never get back otherwise is closed: the resources of a service.
   */
  async kill(): Promise<void> {
    const up = this.#up;
    if (!up) return;
    this.#up = undefined;
    up.die();
    await up.network.kill();
    await up.release?.();
  }
}
