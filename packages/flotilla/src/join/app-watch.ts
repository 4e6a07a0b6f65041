import type { Address, Clock, Component, Random, Timer } from '@flotilla/core';
import type { AppCheck } from './app-check.ts';
import { type AppHealth, afterCheck, initialHealth } from './health-state.ts';
import type { JoinLog } from './log.ts';
import type { HealthConfig } from './settings.ts';

/** What following an app's health needs. */
export interface AppWatchOptions {
  readonly config: HealthConfig;
  /** Where the app listens; undefined while it does not. */
  readonly address: () => Address | undefined;
  readonly check: AppCheck;
  /** Told of every change of the status, and of the address when it is first known. */
  readonly changed: (health: AppHealth, address: Address | undefined) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: JoinLog;
}

/** An app that is coming up is asked more often: nobody wants to wait an interval for it. */
const startingEveryMs = 250;

/** Failed checks before anything is said of an app that is coming up: most need a moment. */
const patientChecks = 3;

/** Follows an app's health by asking it, one check after the other, until it is stopped. */
export class AppWatch implements Component {
  readonly name = 'health of the app';
  readonly #options: AppWatchOptions;
  #health: AppHealth = initialHealth;
  #timer: Timer | undefined;
  #stopped = false;
  #toldReason: string | undefined;
  #failedChecks = 0;
  #placed = false;

  constructor(options: AppWatchOptions) {
    this.#options = options;
  }

  get health(): AppHealth {
    return this.#health;
  }

  async start(): Promise<void> {
    void this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Never rejects: a check does not. */
  async #look(): Promise<void> {
    const { address, check, config, clock, random } = this.#options;
    const at = address();
    if (at && !this.#placed) {
      this.#placed = true;
      this.#options.changed(this.#health, at);
    }
    const failure = at ? await check(at) : 'the server does not listen yet';
    if (this.#stopped) return;
    this.#step(failure, at);
    const everyMs =
      this.#health.status === 'starting' ? Math.min(startingEveryMs, config.intervalMs) : config.intervalMs;
    this.#timer = clock.setTimer(everyMs * (0.8 + 0.4 * random()), () => void this.#look(), { background: true });
  }

  #step(failure: string | undefined, at: Address | undefined): void {
    const { config, log, changed } = this.#options;
    const before = this.#health;
    this.#health = afterCheck(before, failure, config);
    const { status, reason } = this.#health;
    this.#failedChecks = failure === undefined ? 0 : this.#failedChecks + 1;
    if (status !== before.status) {
      changed(this.#health, at);
      if (status === 'up' && at) log.up({ before: before.status, at: { host: at.host, port: at.port } });
      else log.down({ reason: reason ?? '', next: nextFor(config) });
      this.#toldReason = undefined;
    } else if (status !== 'up' && this.#failedChecks >= patientChecks && reason !== this.#toldReason) {
      this.#toldReason = reason; // once for each reason, not for each check
      log.waiting({ reason: reason ?? '', next: nextFor(config) });
    }
  }
}

function nextFor({ path }: HealthConfig): string {
  return path === undefined
    ? 'does the app listen there? set "bind" and "port" to where it does'
    : `does the app answer ${path} there? set "health.path" to what it answers, or leave it out to only connect`;
}
