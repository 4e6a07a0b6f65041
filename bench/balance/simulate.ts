import { type Cluster, createCluster, type PartialBalanceSettings, type PickPolicy, pickWish } from '@flotilla/balance';
import { Call, FlotillaError, type Instance, identity, type Random } from '@flotilla/core';
import { seededRandom, VirtualClock } from '@flotilla/core/testing';
import { type SimulatedScenario, troubleAt } from './scenarios.ts';
import { type Conduct, SimulatedConnection, SimulatedInstance, workMs } from './simulated-instance.ts';

/** How one pick did in one scenario. */
export interface SimulationResult {
  readonly scenario: string;
  readonly pick: PickPolicy;
  readonly calls: number;
  /** Share of the calls that were answered, 0 to 1. */
  readonly success: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Second tries for each 1,000 calls. */
  readonly retriesPer1000: number;
  /** Share of all tries that went to the odd instances, after their trouble began. */
  readonly oddShare: number;
  /** From when the trouble began until the odd ones got less than a quarter of their even share; undefined: they never did. */
  readonly leftAfterMs: number | undefined;
  /** Tries of the odd ones by tenth of a second. */
  readonly oddTries: readonly number[];
  readonly tries: readonly number[];
}

/** Processes that call the service, each of which sees its own calls only. */
const callers = 8;

/** No attempt is waited for any longer. */
const attemptMs = 1_000;

/** Different customers, for the picks that go by a key. */
const customers = 500;

const sliceMs = 100;

/** Several callers, each with one retry, which goes to another instance, as with the standard stack. */
export async function simulate(
  scenario: SimulatedScenario,
  pick: PickPolicy,
  { seconds, seed, settings = {} }: { seconds: number; seed: number; settings?: PartialBalanceSettings },
): Promise<SimulationResult> {
  const run = new Simulation(scenario, pick, seconds * 1_000, seed, settings);
  return run.result();
}

class Simulation {
  readonly #scenario: SimulatedScenario;
  readonly #pick: PickPolicy;
  readonly #endMs: number;
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #clusters: readonly Cluster<string, string>[];
  readonly #latencies: number[] = [];
  readonly #tries: number[];
  readonly #oddTries: number[];
  #calls = 0;
  #succeeded = 0;
  #retries = 0;

  constructor(
    scenario: SimulatedScenario,
    pick: PickPolicy,
    endMs: number,
    seed: number,
    settings: PartialBalanceSettings,
  ) {
    this.#scenario = scenario;
    this.#pick = pick;
    this.#endMs = endMs;
    this.#random = seededRandom(seed);
    this.#tries = new Array(Math.ceil(endMs / sliceMs) + 1).fill(0);
    this.#oddTries = this.#tries.slice();
    const loops = Array.from(
      { length: scenario.instances },
      (_, index) => new SimulatedInstance(this.#clock, this.#random, this.#conductOf(index)),
    );
    this.#clusters = Array.from({ length: callers }, () => this.#caller(loops, settings));
  }

  #conductOf(index: number): (now: number) => Conduct {
    const { odd, conduct, slowness = 1 } = this.#scenario;
    return index < odd ? conduct : () => ({ kind: 'serves', slowness });
  }

  #caller(loops: readonly SimulatedInstance[], settings: PartialBalanceSettings): Cluster<string, string> {
    const { ownZone, odd } = this.#scenario;
    const instances = loops.map((_, index) => this.#instance(index));
    const cluster = createCluster<string, string>({
      ...settings,
      pick: this.#pick,
      ownZone,
      target: { service: 'orders' },
      protocols: ['http'],
      clock: this.#clock,
      random: this.#random,
      resolver: {
        watch(_target, update) {
          update({ instances, warming: false });
          return { close() {} };
        },
      },
      connect: ({ port }, _instance, report) =>
        new SimulatedConnection(loops[port] as SimulatedInstance, report, () => this.#count(port < odd)),
    });
    cluster.start();
    return cluster;
  }

  async result(): Promise<SimulationResult> {
    this.#arrive();
    await this.#clock.run(this.#endMs);
    await this.#clock.run(this.#endMs + 2 * attemptMs + 1);
    const { id } = this.#scenario;
    const sorted = Float64Array.from(this.#latencies).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      scenario: id,
      pick: this.#pick,
      calls: this.#calls,
      success: this.#succeeded / this.#calls,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      retriesPer1000: (this.#retries / this.#calls) * 1_000,
      oddShare: this.#oddShare(),
      leftAfterMs: this.#leftAfterMs(),
      oddTries: this.#oddTries,
      tries: this.#tries,
    };
  }

  #instance(index: number): Instance {
    return {
      id: `i${index}`,
      identity: identity('orders'),
      incarnation: 1,
      addresses: [{ protocol: 'http', host: 'simulated', port: index }],
      contracts: [],
      status: 'up',
      weight: 1,
      revision: 0,
      metadata: {},
      bags: {},
      ...this.#scenario.facts?.(index),
    };
  }

  #arrive(): void {
    const { instances, utilisation } = this.#scenario;
    const everyMs = workMs / (instances * utilisation);
    const next = (): void => {
      if (this.#clock.now() >= this.#endMs) return;
      void this.#ask();
      this.#clock.setTimer(-Math.log(1 - this.#random()) * everyMs, next);
    };
    next();
  }

  async #ask(): Promise<void> {
    const { clock, random } = { clock: this.#clock, random: this.#random };
    const call = new Call({ clock, random });
    call.set(pickWish, { key: `customer ${Math.floor(random() * customers)}` });
    const startedAt = clock.now();
    this.#calls += 1;
    const cluster = this.#clusters[Math.floor(random() * callers)] as Cluster<string, string>;
    const answered = (await this.#attempt(cluster, call, 1)) || (await this.#again(cluster, call));
    if (answered) this.#succeeded += 1;
    if (this.#isTimed(startedAt)) this.#latencies.push(clock.now() - startedAt);
    call.end();
  }

  #isTimed(at: number): boolean {
    const { timedMs } = this.#scenario;
    return timedMs === undefined || (at >= troubleAt && at < troubleAt + timedMs);
  }

  #again(cluster: Cluster<string, string>, call: Call): Promise<boolean> {
    this.#retries += 1;
    return this.#attempt(cluster, call, 2);
  }

  async #attempt(cluster: Cluster<string, string>, call: Call, attempt: number): Promise<boolean> {
    const tried = call.child({ attempt });
    const timer = this.#clock.setTimer(attemptMs, () =>
      tried.cancel(new FlotillaError('DEADLINE_EXCEEDED', 'it took too long')),
    );
    try {
      await cluster.handle('x', tried);
      return true;
    } catch {
      return false;
    } finally {
      timer.cancel();
    }
  }

  #count(odd: boolean): void {
    const slice = Math.floor(this.#clock.now() / sliceMs);
    if (slice >= this.#tries.length) return;
    this.#tries[slice] = (this.#tries[slice] ?? 0) + 1;
    if (odd) this.#oddTries[slice] = (this.#oddTries[slice] ?? 0) + 1;
  }

  #oddShare(): number {
    const from = troubleAt / sliceMs;
    return sum(this.#oddTries.slice(from)) / sum(this.#tries.slice(from));
  }

  /** Looked at over half seconds: shorter ones are noise. */
  #leftAfterMs(): number | undefined {
    const { odd, instances } = this.#scenario;
    const even = odd / instances;
    const span = 5;
    for (let slice = troubleAt / sliceMs; slice + span < this.#tries.length; slice++) {
      const tries = sum(this.#tries.slice(slice, slice + span));
      if (tries > 0 && sum(this.#oddTries.slice(slice, slice + span)) / tries < even / 4) {
        return slice * sliceMs - troubleAt;
      }
    }
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
