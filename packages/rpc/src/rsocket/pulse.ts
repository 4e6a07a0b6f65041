import type { Clock, Timer } from '@flotilla/core';

/** What a {@link Pulse} needs. */
export interface PulseOptions {
  readonly clock: Clock;
  /** How often KEEPALIVE is sent, and the peer's silence looked at. */
  readonly intervalMs: number;
  /** The longest silence. */
  readonly lifetimeMs: number;
  /** Time to send KEEPALIVE and to look at other limits. */
  readonly beat: (now: number) => void;
  /** The peer has been silent for too long. */
  readonly lost: (silentMs: number) => void;
}

/**
 * Notices a peer that says nothing any more. Any whole frame is a sign of life: a connection on which noise is taken for
 * the begin of a long frame has none.
 *
 * A beat that comes late by more than half an interval tells that this process itself stood still. What the peer sent
 * meanwhile waits to be read, so it gets one more interval.
 */
export class Pulse {
  readonly #options: PulseOptions;
  #seenAt: number;
  #dueAt = 0;
  #timer: Timer | undefined;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#seenAt = options.clock.now();
    this.#arm();
  }

  /** The peer lives. */
  seen(now: number): void {
    this.#seenAt = now;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    const { clock, intervalMs } = this.#options;
    this.#dueAt = clock.now() + intervalMs;
    this.#timer = clock.setTimer(intervalMs, () => this.#look(), { background: true });
  }

  #look(): void {
    const { clock, intervalMs, lifetimeMs, beat, lost } = this.#options;
    const now = clock.now();
    if (now - this.#dueAt > intervalMs / 2) this.#seenAt = Math.max(this.#seenAt, now - lifetimeMs + intervalMs);
    if (now - this.#seenAt >= lifetimeMs) {
      lost(now - this.#seenAt);
      return;
    }
    this.#arm();
    beat(now);
  }
}
