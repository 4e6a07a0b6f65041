import type { Clock } from '@flotilla/core';
import type { ByteChannel } from './byte-channel.ts';
import type { RSocketLimits } from './limits.ts';
import { Pulse } from './pulse.ts';
import type { Sender } from './sender.ts';
import type { Setup } from './setup.ts';

/** A look at the limits, where SETUP says nothing of KEEPALIVE. */
const unsupervisedMs = 5_000;
/** No beat is faster, whatever a peer's SETUP says. */
const leastBeatMs = 20;

/** What {@link Supervision} needs. */
export interface SupervisionOptions {
  readonly clock: Clock;
  readonly limits: RSocketLimits;
  readonly channel: ByteChannel;
  readonly sender: Sender;
  /** Time to send KEEPALIVE. */
  readonly keepalive: () => void;
  /** Time to look at messages that have come in part. */
  readonly sweep: (now: number) => void;
  /** The connection is of no use any more, for this reason. */
  readonly lost: (detail: string) => void;
}

/** Watches one connection: does SETUP come, does the peer live, does it take what it is sent? */
export class Supervision {
  readonly #options: SupervisionOptions;
  #pulse: Pulse;
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

  /** The peer lives. */
  seen(): void {
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

  /** Both sides keep to the times of the client's SETUP; 0 turns it off. */
  #supervise({ keepaliveMs, lifetimeMs }: Setup): Pulse {
    const { clock, keepalive, lost } = this.#options;
    const isSupervised = keepaliveMs > 0 && lifetimeMs > 0;
    return new Pulse({
      clock,
      intervalMs: isSupervised ? Math.max(keepaliveMs, leastBeatMs) : unsupervisedMs,
      lifetimeMs: isSupervised ? Math.max(lifetimeMs, leastBeatMs) : Infinity,
      beat: (now) => {
        if (isSupervised) keepalive();
        this.#look(now);
      },
      lost: (silentMs) => lost(`nothing came from the peer for ${Math.round(silentMs)} ms`),
    });
  }

  /** Has the peer taken anything since the last look? */
  #look(now: number): void {
    const { limits, channel, sender, sweep, lost } = this.#options;
    sweep(now);
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
