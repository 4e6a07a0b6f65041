import {
  type Call,
  FlotillaError,
  type Instance,
  type InstanceSet,
  type Random,
  type Resolver,
  sleep,
} from '@flotilla/core';
import { anInstance, type VirtualClock } from '@flotilla/core/testing';
import type { History, Trouble } from './history.ts';

/** How long a healthy instance works for one call, on average. */
const workMs = 5;

/** How long an instance that drains goes on serving, and how long until the next process stands in its place. */
const drainMs = 150;
const goneMs = 100;

/** What is asked of an instance, and what it answers. */
export interface Question {
  readonly id: number;
}

/** One process: an instance is a row of them. */
export class SimulatedProcess {
  readonly number: number;
  readonly generation: number;
  status: 'up' | 'draining' | 'gone' = 'up';
  /** Cancelled together when it dies. */
  readonly inHand = new Set<Call>();

  constructor(number: number, generation: number) {
    this.number = number;
    this.generation = generation;
  }
}

/** What a transport hears of processes. */
export interface FleetEvents {
  died(number: number): void;
  drains(process: SimulatedProcess): void;
  cut(number: number): void;
}

/** The instances of a history, what befalls them, and the registry that tells of them. */
export class SimulatedFleet {
  readonly executions = new Map<number, number>();
  events: FleetEvents = { died() {}, drains() {}, cut() {} };
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #processes: SimulatedProcess[];
  readonly #troubles: readonly (readonly Trouble[])[];
  readonly #registryTrouble: Trouble | undefined;
  #update: ((set: InstanceSet) => void) | undefined;
  #told: InstanceSet = { instances: [], warming: false };

  constructor({ instances, troubles }: History, clock: VirtualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#processes = Array.from({ length: instances }, (_, number) => new SimulatedProcess(number, 1));
    this.#troubles = this.#processes.map(({ number }) => troubles.filter(({ instances: met }) => met.includes(number)));
    this.#registryTrouble = troubles.find(({ kind }) => kind === 'registry');
    for (const trouble of troubles) this.#schedule(trouble);
  }

  /** What the registry said last, that has arrived. */
  get told(): InstanceSet {
    return this.#told;
  }

  get inHand(): number {
    return this.#processes.reduce((sum, { inHand }) => sum + inHand.size, 0);
  }

  /** The registry, as whoever calls sees it. It says everything again once a second, as one that is polled does. */
  get resolver(): Resolver {
    return {
      watch: (_target, update) => {
        this.#update = update;
        this.#tell(this.#set());
        const poll = (): void => {
          if (!this.#update) return;
          this.publish();
          this.#clock.setTimer(1_000, poll);
        };
        this.#clock.setTimer(1_000, poll);
        return {
          close: () => {
            this.#update = undefined;
          },
        };
      },
    };
  }

  /** Who listens at the address of that number; undefined: nobody. */
  listening(number: number): SimulatedProcess | undefined {
    const process = this.#processes[number];
    return process?.status === 'gone' || this.isDead(number) ? undefined : process;
  }

  isDead(number: number): boolean {
    const dead = this.#now(number, 'dead');
    const flaps = this.#now(number, 'flaps');
    return dead !== undefined || (flaps !== undefined && Math.floor((this.#clock.now() - flaps.atMs) / 500) % 2 === 0);
  }

  /** How long its event loop still stands still. */
  blockedMs(number: number): number {
    const blocked = this.#now(number, 'blocked');
    return blocked ? blocked.atMs + blocked.forMs - this.#clock.now() : 0;
  }

  /** How frames of its connection fare. */
  garbles(number: number): boolean {
    return this.#now(number, 'frames') !== undefined;
  }

  /** The handler of an instance. */
  async answer(number: number, { id }: Question, call: Call): Promise<Question> {
    if (this.#now(number, 'sheds')) {
      throw new FlotillaError('UNAVAILABLE', 'it has too much to do', {
        executed: 'no',
        retryAfterMs: 10,
        fromPeer: true,
      });
    }
    this.executions.set(id, (this.executions.get(id) ?? 0) + 1);
    if (this.#now(number, 'errors')) {
      await sleep(1, call);
      throw new FlotillaError('INTERNAL', 'it is broken', { fromPeer: true });
    }
    const tookMs = -Math.log(1 - this.#random()) * workMs * (this.#now(number, 'slow') ? 100 : 1);
    await sleep(this.#now(number, 'silent') ? Infinity : tookMs + this.blockedMs(number), call);
    return { id };
  }

  /** Tells whoever follows the registry, some milliseconds later. */
  publish(): void {
    const set = this.#set();
    const times = this.#registryErrs() ? Math.floor(this.#random() * 3) : 1;
    for (let time = 0; time < times; time++) {
      const delayMs = 5 + this.#random() * (this.#registryErrs() ? 500 : 0);
      this.#clock.setTimer(delayMs, () => this.#tell(set));
    }
  }

  #tell(set: InstanceSet): void {
    if (!this.#update) return;
    this.#told = set;
    this.#update(set);
  }

  #registryErrs(): boolean {
    const now = this.#clock.now();
    const trouble = this.#registryTrouble;
    return trouble !== undefined && now >= trouble.atMs && now < trouble.atMs + trouble.forMs;
  }

  #set(): InstanceSet {
    const instances = this.#processes.filter(({ status }) => status !== 'gone').map((process) => instanceOf(process));
    return { instances, warming: false };
  }

  #now(number: number, kind: Trouble['kind']): Trouble | undefined {
    const now = this.#clock.now();
    return this.#troubles[number]?.find(
      (trouble) => trouble.kind === kind && now >= trouble.atMs && now < trouble.atMs + trouble.forMs,
    );
  }

  #schedule({ kind, atMs, forMs, instances }: Trouble): void {
    const at = (ms: number, run: () => void): void => void this.#clock.setTimer(ms, run);
    for (const [index, number] of instances.entries()) {
      if (kind === 'dead') at(atMs, () => this.#die(number));
      if (kind === 'flaps') for (let ms = atMs; ms < atMs + forMs; ms += 1_000) at(ms, () => this.#die(number));
      if (kind === 'cut') at(atMs + (forMs * index) / instances.length, () => this.events.cut(number));
      if (kind === 'restart') at(atMs + (forMs * index) / instances.length, () => this.#restart(number));
    }
  }

  #die(number: number): void {
    const lost = new FlotillaError('CONNECTION_LOST', 'the process died');
    for (const call of [...(this.#processes[number]?.inHand ?? [])]) call.cancel(lost);
    this.events.died(number);
  }

  /** Says that it drains, serves on for a while, takes nothing more, ends what it has, and another process comes. */
  #restart(number: number): void {
    const process = this.#processes[number] as SimulatedProcess;
    if (process.status !== 'up') return;
    process.status = 'draining';
    this.publish();
    this.#clock.setTimer(drainMs, () => {
      process.status = 'gone';
      this.events.drains(process);
      this.publish();
      this.#clock.setTimer(goneMs, () => {
        this.#processes[number] = new SimulatedProcess(number, process.generation + 1);
        this.publish();
      });
    });
  }
}

function instanceOf({ number, generation, status }: SimulatedProcess): Instance {
  return anInstance({
    id: `i${number}.${generation}`,
    incarnation: generation,
    status: status === 'draining' ? 'draining' : 'up',
    addresses: [{ protocol: 'rsocket', host: 'simulated', port: number }],
  });
}
