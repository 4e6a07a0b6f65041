import type { Clock } from '@flotilla/core';
import type { ByteChannel } from './byte-channel.ts';
import type { RSocketLimits } from './limits.ts';
import { Pulse } from './pulse.ts';
import type { Sender } from './sender.ts';
import type { Setup } from './setup.ts';

/** Of a peer that turns supervision off: it still owes an echo. As Spring's clients have it. */
const defaultTimes = { keepaliveMs: 20_000, lifetimeMs: 90_000 };
/** Whatever a peer's SETUP says, it is supervised within these bounds. */
const leastMs = 20;
const mostKeepaliveMs = 60_000;
const mostLifetimeMs = 600_000;

/** What {@link Supervision} needs. */
export interface SupervisionOptions {
  readonly clock: Clock;
  readonly limits: RSocketLimits;
  readonly channel: ByteChannel;
  readonly sender: Sender;
  /** Time to send KEEPALIVE. */
  readonly keepalive: () => void;
  /** Bytes of a frame that has not come in whole. */
  readonly unfinished: () => number;
  /** Time to look at messages that have come in part. */
  readonly sweep: (now: number) => void;
  /** The connection is of no use any more, for this reason. */
  readonly lost: (detail: string) => void;
}

/** Watches one connection: does SETUP come, does the peer live, does it take what it is sent? */
export class Supervision {
  readonly #options: SupervisionOptions;
  #pulse: Pulse;
  /** Since when the same frame is coming. */
  #frameSince: number | undefined;
  #stalled: { readonly taken: number; readonly since: number } | undefined;

  /** @param setup undefined on a server: SETUP has to come within `setupTimeoutMs` */
  constructor(options: SupervisionOptions, setup: Setup | undefined) {
    this.#options = options;
    this.#pulse = setup ? this.#supervise(setup) : this.#awaitSetup();
  }

  /** SETUP came. */
  begin(setup: Setup): void {
    this.#pulse.stop();
    this.#pulse = this.#supervise(setup);
  }

  /** A whole frame came: the peer lives. */
  seen(): void {
    this.#frameSince = undefined;
    this.#pulse.seen(this.#options.clock.now());
  }

  stop(): void {
    this.#pulse.stop();
  }

  #awaitSetup(): Pulse {
    const { clock, limits, lost } = this.#options;
    const { setupTimeoutMs } = limits;
    const late = (): void => lost(`no SETUP came within ${setupTimeoutMs} ms (setupTimeoutMs)`);
    return new Pulse({ clock, intervalMs: setupTimeoutMs, lifetimeMs: Infinity, beat: late, lost: late });
  }

  /** Both sides keep to the times of the client's SETUP. */
  #supervise(setup: Setup): Pulse {
    const { clock, keepalive, lost } = this.#options;
    const { keepaliveMs, lifetimeMs } = setup.keepaliveMs > 0 && setup.lifetimeMs > 0 ? setup : defaultTimes;
    return new Pulse({
      clock,
      intervalMs: Math.min(Math.max(keepaliveMs, leastMs), mostKeepaliveMs),
      lifetimeMs: Math.min(Math.max(lifetimeMs, leastMs), mostLifetimeMs),
      beat: (now) => {
        keepalive();
        this.#look(now);
      },
      lost: (silentMs) => lost(`nothing came from the peer for ${Math.round(silentMs)} ms`),
    });
  }

  #look(now: number): void {
    this.#options.sweep(now);
    this.#watchFrame(now);
    this.#watchWrites(now);
  }

  /** Bytes that drip in hold the connection, and what was kept of the frame, for no longer than this. */
  #watchFrame(now: number): void {
    const { limits, unfinished, lost } = this.#options;
    if (unfinished() === 0) this.#frameSince = undefined;
    else if (this.#frameSince === undefined) this.#frameSince = now;
    else if (now - this.#frameSince >= limits.partialTimeoutMs) {
      lost(`a frame did not come in whole within ${limits.partialTimeoutMs} ms (partialTimeoutMs)`);
    }
  }

  /** Has the peer taken anything since the last look? */
  #watchWrites(now: number): void {
    const { limits, channel, sender, lost } = this.#options;
    if (channel.queuedBytes === 0) {
      this.#stalled = undefined;
      return;
    }
    const taken = sender.handed - channel.queuedBytes;
    if (this.#stalled?.taken !== taken) this.#stalled = { taken, since: now };
    else if (now - this.#stalled.since >= limits.writeStallMs) {
      lost(`the peer took no byte within ${limits.writeStallMs} ms (writeStallMs)`);
    }
  }
}
