import { type Clock, FlotillaError, type Timer } from '@flotilla/core';
import { frameType } from './frame.ts';
import type { Sender } from './sender.ts';

/** How many requests a peer that asked for leases may send. */
export interface LeaseSource {
  /** Asked for each lease: a server's concurrency limit, for instance. 0 lets the peer wait. */
  readonly requests: () => number;
  /** How long a lease lasts; the next one comes when half of it is over. */
  readonly ttlMs: number;
}

/** Gives leases to a peer that asked for them. */
export class LeaseGranter {
  readonly #source: LeaseSource;
  readonly #clock: Clock;
  readonly #sender: Sender;
  #rest = 0;
  #endsAt = 0;
  #timer: Timer | undefined;

  constructor(source: LeaseSource, clock: Clock, sender: Sender) {
    this.#source = source;
    this.#clock = clock;
    this.#sender = sender;
    this.#grant();
  }

  /** Uses up one request of the lease. @returns whether there was one */
  take(): boolean {
    if (this.#rest === 0 || this.#clock.now() >= this.#endsAt) return false;
    this.#rest--;
    return true;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #grant(): void {
    const { requests, ttlMs } = this.#source;
    this.#rest = Math.max(0, Math.min(Math.floor(requests()), 0x7fff_ffff));
    this.#endsAt = this.#clock.now() + ttlMs;
    const start = this.#sender.begin(0, frameType.lease, 0);
    this.#sender.out.u32(ttlMs);
    this.#sender.out.u32(this.#rest);
    this.#sender.end(start);
    this.#timer = this.#clock.setTimer(ttlMs / 2, () => this.#grant(), { background: true });
  }
}

/** Keeps to the leases that the peer gives. */
export class LeaseHolder {
  readonly #clock: Clock;
  #rest = 0;
  #endsAt = 0;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A LEASE came: it replaces the one before. */
  granted(ttlMs: number, requests: number): void {
    this.#rest = requests;
    this.#endsAt = this.#clock.now() + ttlMs;
    if (requests === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) run();
  }

  /** Is there a request left? */
  get available(): boolean {
    return this.#rest > 0 && this.#clock.now() < this.#endsAt;
  }

  /** Calls `run` once when a lease has come. */
  whenGranted(run: () => void): void {
    if (this.available) run();
    else this.#waiting.push(run);
  }

  /** Uses up one request. @throws FlotillaError UNAVAILABLE without one */
  take(): void {
    if (!this.available) throw new FlotillaError('UNAVAILABLE', 'the peer has given no lease for another request');
    this.#rest--;
  }
}
