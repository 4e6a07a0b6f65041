import { Clusters } from '@flotilla/balance';
import {
  Call,
  composeEndpoint,
  type Filter,
  FlotillaError,
  type LogFields,
  type Logger,
  nullLogger,
  nullMeter,
  nullTracer,
  toFlotillaError,
} from '@flotilla/core';
import { seededRandom, VirtualClock } from '@flotilla/core/testing';
import { memoryNetwork } from '@flotilla/http/memory';
import type { Client, OperationRequest, OperationResponse, RpcTransport } from '@flotilla/rpc';
import { type ConnectedClient, connectClient } from 'flotilla';
import { orders } from './contract.ts';
import { type Question, SimulatedFleet } from './fleet.ts';
import type { History } from './history.ts';
import type { AskedOperation, AttemptRecord, CallRecord, ClusterSample, RunRecord } from './record.ts';
import { rimTransport } from './rim.ts';
import { Wire } from './wire.ts';

type Attempts = Filter<OperationRequest, OperationResponse>;

/** What is done otherwise than in life, to see whether anybody notices. */
export interface Mutations {
  /** Stands around every connection to an instance. */
  readonly attempts?: (random: () => number) => Attempts;
  /** Instead of what the history says. */
  readonly retriesPerSecond?: number;
  /** Makes another client of the one that callers have. */
  readonly client?: (client: Client<typeof orders>, clock: VirtualClock) => Client<typeof orders>;
}

/** Runs a history to its end, in virtual time. */
export async function runHistory(history: History, mutations: Mutations = {}): Promise<RunRecord> {
  const run = new Run(history, mutations);
  return await run.record();
}

/** The first ejection lasts so long: histories are shorter than the usual half minute. */
const ejectionMs = 1_000;

/** How often the cluster is looked at. */
const sampleMs = 250;

class Run {
  readonly #history: History;
  readonly #clock = new VirtualClock();
  readonly #random: () => number;
  readonly #fleet: SimulatedFleet;
  readonly #wire: Wire | undefined;
  readonly #clusters = new Clusters();
  readonly #connected: ConnectedClient<typeof orders>;
  readonly #client: Client<typeof orders>;
  readonly #calls: CallRecord[] = [];
  readonly #attempts: AttemptRecord[] = [];
  readonly #samples: ClusterSample[] = [];
  readonly #ejections: { at: number; instance: number; forMs: number }[] = [];
  readonly #faults: string[] = [];
  #inFlight = 0;

  constructor(history: History, mutations: Mutations) {
    this.#history = history;
    const random = seededRandom(history.seed ^ 0x5f3759df);
    this.#random = random;
    this.#fleet = new SimulatedFleet(history, this.#clock, random);
    this.#wire = history.wire ? new Wire(this.#fleet, this.#clock, random) : undefined;
    this.#connected = this.#connect(mutations);
    this.#client = mutations.client?.(this.#connected.client, this.#clock) ?? this.#connected.client;
  }

  async record(): Promise<RunRecord> {
    const uncaught = (thrown: unknown): void => void this.#faults.push(String(thrown));
    process.on('unhandledRejection', uncaught);
    try {
      this.#arrive();
      this.#sample();
      const { trafficMs, timeoutMs } = this.#history;
      await this.#clock.run(trafficMs + timeoutMs + 20);
      const left = await this.#leave();
      return {
        calls: this.#calls,
        attempts: this.#attempts,
        executions: this.#fleet.executions,
        samples: this.#samples,
        ejections: this.#ejections,
        left,
        faults: this.#faults,
      };
    } finally {
      process.off('unhandledRejection', uncaught);
    }
  }

  /** The client of an application, whole, with the standard stack. */
  #connect({ attempts, retriesPerSecond }: Mutations): ConnectedClient<typeof orders> {
    const { timeoutMs, attemptTimeoutMs, hedge, decayMs } = this.#history;
    const clock = this.#clock;
    const random = this.#random;
    const transport = this.#wire?.transport ?? rimTransport(this.#fleet);
    const options = {
      service: 'orders',
      timeoutMs: timeoutMs * 2, // the deadline of the caller is the sooner one
      attemptTimeoutMs,
      retryBudgetPerSecond: retriesPerSecond ?? this.#history.retriesPerSecond,
      breaker: { openMs: 500, maxOpenMs: 500 },
      hedge: { enabled: hedge, minSamples: 20 },
      balance: { decayMs, outlier: { baseEjectionMs: ejectionMs } },
    };
    return connectClient(orders, options, {
      network: memoryNetwork({ clock, random }),
      resolver: this.#fleet.resolver,
      clock,
      random,
      logger: this.#logger(),
      meter: nullMeter,
      tracer: nullTracer,
      clusters: this.#clusters,
      fast: this.#watched(transport, attempts?.(random)),
    });
  }

  /** Notes each attempt. */
  #watched(transport: RpcTransport, mutation: Attempts | undefined): RpcTransport {
    return {
      protocols: transport.protocols,
      connect: (target) => {
        const endpoint = transport.connect(target);
        const instance = target.address.port;
        const note: Attempts = (next) => (request, call) => {
          this.#attempts.push({ id: (request.input as Question).id, at: this.#clock.now(), instance });
          this.#inFlight += 1;
          call.onEnd(() => {
            this.#inFlight -= 1;
          });
          return next(request, call);
        };
        return composeEndpoint(mutation ? [mutation, note] : [note], endpoint);
      },
    };
  }

  #logger(): Logger {
    const write = (message: string, fields: LogFields = {}): void => {
      if (message !== 'instance ejected') return;
      const instance = Number(String(fields['address']).split(':').at(-1));
      this.#ejections.push({ at: this.#clock.now(), instance, forMs: Number(fields['forMs']) });
    };
    const logger: Logger = { ...nullLogger, warn: write, child: () => logger };
    return logger;
  }

  #arrive(): void {
    const { trafficMs, callsPerSecond } = this.#history;
    const next = (): void => {
      if (this.#clock.now() >= trafficMs) return;
      void this.#ask(this.#calls.length);
      this.#clock.setTimer((-Math.log(1 - this.#random()) * 1_000) / callsPerSecond, next);
    };
    next();
  }

  async #ask(id: number): Promise<void> {
    const { timeoutMs } = this.#history;
    const at = this.#clock.now();
    const deadline = at + timeoutMs;
    const call = new Call({ clock: this.#clock, random: this.#random, deadline });
    const operation = operationOf(this.#random());
    const record: CallRecord = {
      id,
      operation,
      at,
      deadline,
      cancelled: false,
      ends: 0,
      endedAt: undefined,
      answerOf: undefined,
      code: undefined,
      executed: undefined,
    };
    this.#calls.push(record);
    if (this.#random() < 0.03) this.#giveUp(call, record, this.#random() * 20);
    try {
      record.answerOf = (await this.#client[operation]({ id }, call)).id;
    } catch (thrown) {
      const { code, executed } = toFlotillaError(thrown);
      record.code = code;
      record.executed = executed;
    }
    record.ends += 1;
    record.endedAt = this.#clock.now();
    call.end();
  }

  #giveUp(call: Call, record: CallRecord, afterMs: number): void {
    this.#clock.setTimer(afterMs, () => {
      if (call.ended) return;
      record.cancelled = true;
      call.cancel(new FlotillaError('CANCELLED', 'the user went away'));
    });
  }

  #sample(): void {
    for (const { instances, rules, panic } of this.#clusters.explain(undefined)) {
      this.#samples.push({
        at: this.#clock.now(),
        known: instances.length,
        ejected: rules.find(({ rule }) => rule === 'outlier')?.leftOut ?? 0,
        candidates: instances.filter(({ leftOut }) => leftOut === undefined).length,
        panic,
      });
    }
    if (this.#clock.now() < this.#history.trafficMs) this.#clock.setTimer(sampleMs, () => this.#sample());
  }

  /** Closes the client and looks at what is still there. */
  async #leave(): Promise<Record<string, number>> {
    const explained = this.#clusters.explain(undefined).flatMap(({ instances }) => instances);
    const left = {
      'calls in flight, as the cluster counts': explained.reduce((sum, { load }) => sum + load, 0),
      'attempts in flight': this.#inFlight,
      'calls in hand of instances': this.#fleet.inHand,
      'requests in hand of connections': this.#wire?.inHand ?? 0,
      'instances that the registry does not name': explained.length - this.#fleet.told.instances.length,
    };
    void this.#connected.close();
    await this.#clock.run(this.#clock.now() + 60_000);
    return {
      ...left,
      'connections after the client was closed': this.#wire?.connections ?? 0,
      'timers after the client was closed': this.#clock.pendingTimers,
    };
  }
}

function operationOf(drawn: number): AskedOperation {
  return drawn < 0.6 ? 'look' : drawn < 0.75 ? 'put' : 'place';
}
