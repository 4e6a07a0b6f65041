import cluster, { type Worker } from 'node:cluster';
import { createInterface } from 'node:readline';
import type { Clock, Timer } from '@flotilla/core';
import { type ProcessPlan, reportIn, restartDelayMs } from '../process-plan.ts';

/**
 * | state | means | exits |
 * |---|---|---|
 * | `starting` | a process runs but does not serve yet | `serving`, `waiting` |
 * | `serving` | it takes calls | `replacing`, `waiting`, `stopping` |
 * | `replacing` | it takes calls while its successor starts on the same sockets | `serving` |
 * | `waiting` | it ended by itself and is started again in a moment | `starting`, `stopping` |
 * | `stopping` | it drains | `stopped` |
 * | `stopped` | there is no process | none |
 */
export type ProcessState = 'starting' | 'serving' | 'replacing' | 'waiting' | 'stopping' | 'stopped';

/** What is known of one supervised process. */
export interface ProcessView {
  readonly plan: ProcessPlan;
  readonly state: ProcessState;
  readonly pid: number | undefined;
  readonly url: string | undefined;
  readonly managementUrl: string | undefined;
}

/** What the supervisor tells its owner. */
export interface SupervisorEvents {
  /** A process changed its state; `why` is there when it ended or could not be replaced. */
  changed(view: ProcessView, why?: string): void;
  /** The process that serves has a configuration that only another start takes in. */
  outdated(view: ProcessView): void;
  /** A line that a process printed. */
  line(view: ProcessView, text: string): void;
}

/** A process that is kept running. */
export interface Supervised {
  readonly view: ProcessView;
  /** Resolves when it serves for the first time; rejects when it ends before. */
  readonly firstServing: Promise<void>;
  /**
   * Starts a successor on the same listening sockets, waits until it serves, then drains the old one: no connection is
   * refused. When the successor does not come up, the old process stays.
   */
  replace(): Promise<void>;
  /** Asks it to drain and waits for its end. A second call ends it at once. */
  stop(): Promise<void>;
}

/**
 * Starts a process and keeps it running.
 *
 * Processes are workers of Node's cluster with the policy that shares listening sockets instead of distributing
 * connections: the socket belongs to the supervisor, so it outlives each process that accepts from it.
 */
export function supervise(plan: ProcessPlan, clock: Clock, events: SupervisorEvents): Supervised {
  return new SupervisedProcess(plan, clock, events);
}

class SupervisedProcess implements Supervised {
  readonly firstServing: Promise<void>;
  #settleFirst: { resolve: () => void; reject: (reason: Error) => void } | undefined;
  readonly #plan: ProcessPlan;
  readonly #clock: Clock;
  readonly #events: SupervisorEvents;
  #state: ProcessState = 'starting';
  #worker: Worker | undefined;
  #url: string | undefined;
  #managementUrl: string | undefined;
  #endings = 0;
  #waiting: Timer | undefined;
  #replacing: Promise<void> | undefined;
  #replaceAgain = false;

  constructor(plan: ProcessPlan, clock: Clock, events: SupervisorEvents) {
    this.#plan = plan;
    this.#clock = clock;
    this.#events = events;
    this.firstServing = new Promise((resolve, reject) => {
      this.#settleFirst = { resolve, reject };
    });
    this.firstServing.catch(() => {}); // whoever waits hears it; nobody has to
    this.#start();
  }

  get view(): ProcessView {
    return {
      plan: this.#plan,
      state: this.#state,
      pid: this.#worker?.process.pid,
      url: this.#url,
      managementUrl: this.#managementUrl,
    };
  }

  replace(): Promise<void> {
    if (this.#state === 'waiting') {
      this.#waiting?.cancel();
      this.#start();
      return Promise.resolve();
    }
    if (this.#replacing) {
      this.#replaceAgain = true; // a file changed while its last change is being taken in
      return this.#replacing;
    }
    if (this.#state !== 'serving') return Promise.resolve();
    this.#replacing = this.#replaceNow().finally(() => {
      this.#replacing = undefined;
      if (this.#replaceAgain) {
        this.#replaceAgain = false;
        void this.replace();
      }
    });
    return this.#replacing;
  }

  async stop(): Promise<void> {
    this.#waiting?.cancel();
    const worker = this.#worker;
    if (this.#state === 'stopped' || !worker || worker.isDead()) {
      this.#become('stopped');
      return;
    }
    const end = this.#state === 'starting' ? 'SIGTERM' : this.#state === 'stopping' ? 'SIGKILL' : 'ask';
    this.#become('stopping');
    await endOf(worker, end);
    this.#become('stopped');
  }

  #start(): void {
    this.#become('starting');
    const worker = this.#fork();
    this.#worker = worker;
    worker.on('message', (message: unknown) => {
      const report = reportIn(message);
      if (report?.flotilla !== 'serving' || this.#worker !== worker || this.#state !== 'starting') return;
      this.#serves(worker, report);
      this.#settleFirst?.resolve();
    });
    this.#hear(worker);
    worker.once('exit', (code, signal) => this.#ended(worker, endingOf(code, signal)));
  }

  #hear(worker: Worker): void {
    worker.on('message', (message: unknown) => {
      if (reportIn(message)?.flotilla === 'outdated' && this.#worker === worker) this.#events.outdated(this.view);
    });
  }

  #serves(worker: Worker, report: { readonly url: string; readonly managementUrl?: string }): void {
    this.#worker = worker;
    this.#url = report.url;
    this.#managementUrl = report.managementUrl;
    this.#endings = 0;
    this.#become('serving');
  }

  #ended(worker: Worker, why: string): void {
    if (this.#worker !== worker || this.#state === 'stopping' || this.#state === 'stopped') return;
    this.#settleFirst?.reject(new Error(why));
    this.#endings++;
    const delayMs = restartDelayMs(this.#endings);
    this.#waiting = this.#clock.setTimer(delayMs, () => this.#start());
    this.#become('waiting', `${why}; started again in ${delayMs} ms, or when a file changes`);
  }

  async #replaceNow(): Promise<void> {
    const old = this.#worker;
    this.#become('replacing');
    const successor = this.#fork();
    const report = await servingOrEnd(successor);
    if (this.#state !== 'replacing') {
      await endOf(successor, 'ask'); // stopped meanwhile
      return;
    }
    if (typeof report === 'string') {
      this.#become('serving', `the changed files do not start (${report}); the process from before goes on`);
      return;
    }
    this.#hear(successor);
    successor.once('exit', (code, signal) => this.#ended(successor, endingOf(code, signal)));
    this.#serves(successor, report);
    if (old) await endOf(old, 'ask');
  }

  #fork(): Worker {
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ exec: this.#plan.program, args: [...this.#plan.args], silent: true });
    const worker = cluster.fork({ ...this.#plan.env, FLOTILLA_SUPERVISED: '1' });
    for (const stream of [worker.process.stdout, worker.process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (text) => this.#events.line(this.view, text));
    }
    return worker;
  }

  #become(state: ProcessState, why?: string): void {
    this.#state = state;
    this.#events.changed(this.view, why);
  }
}

/** The report of a process that serves, or why it ended without serving. */
function servingOrEnd(worker: Worker): Promise<string | { readonly url: string; readonly managementUrl?: string }> {
  return new Promise((resolve) => {
    let failure: string | undefined;
    worker.on('message', (message: unknown) => {
      const report = reportIn(message);
      if (report?.flotilla === 'serving') resolve(report);
      else if (report?.flotilla === 'failed') failure = report.message;
    });
    worker.once('exit', (code, signal) => resolve(failure ?? endingOf(code, signal)));
  });
}

/**
 * Ends a process and waits for it.
 * - `ask`: over the channel. A signal that reaches the whole process group reaches it as well, and must not count twice.
 * - `SIGTERM`: for one that is starting and does not listen to the channel yet.
 * - `SIGKILL`: at once.
 */
function endOf(worker: Worker, how: 'ask' | 'SIGTERM' | 'SIGKILL'): Promise<void> {
  return new Promise((resolve) => {
    if (worker.isDead()) {
      resolve();
      return;
    }
    worker.once('exit', () => resolve());
    if (how === 'ask' && worker.isConnected()) worker.send({ flotilla: 'stop' });
    else worker.process.kill(how === 'ask' ? 'SIGTERM' : how);
  });
}

function endingOf(code: number | null, signal: string | null): string {
  return signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
}
