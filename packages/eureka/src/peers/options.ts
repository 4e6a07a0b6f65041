import { type Clock, FlotillaError, type Logger, type Meter, nullLogger, nullMeter, type Random } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';
import type { Registry } from '@flotilla/registry/server';

/** What {@link createPeers} needs. */
export interface PeersOptions extends Partial<PeerTimes> {
  readonly registry: Registry;
  /** How peers are reached; it brings certificates along. */
  readonly network: HttpNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly meter?: Meter;
  /** The other registries, as in Eureka's `defaultZone`: `http://user:password@host:8761/eureka/`. */
  readonly urls: readonly string[];
  /** Which of {@link urls} is this registry itself; it is left out. Default: found out by asking. */
  readonly myUrl?: string | undefined;
}

/** Times and bounds of talking with peers; {@link peerDefaults}. */
export interface PeerTimes {
  /** Of one request to a peer. Raise it for peers far away. */
  readonly requestTimeoutMs: number;
  /** How long a start waits for the first peer that tells what it lists; afterwards it goes on in the background. 0: not at all. */
  readonly startTimeoutMs: number;
  /** How often all that is listed is compared, ± 20 %. */
  readonly compareEveryMs: number;
  /** A change waits this long for others that go with it. */
  readonly gatherMs: number;
  /** Renewals wait this long, unless something else is sent or a batch is full. */
  readonly gatherRenewalsMs: number;
  /** Tasks that wait for one peer; above it renewals are dropped, then the oldest. */
  readonly maxQueued: number;
  /** Tasks in one batch to a Java server. */
  readonly maxBatch: number;
  /** How long a stop tries to tell peers what they do not know yet. */
  readonly farewellMs: number;
}

export const peerDefaults: PeerTimes = Object.freeze({
  requestTimeoutMs: 5_000, // Netflix' read time-out; Spring's 200 ms makes a busy peer look dead
  startTimeoutMs: 10_000, // a peer that is down refuses at once; one that hangs costs this
  compareEveryMs: 60_000,
  gatherMs: 20, // a Java server waits 500 ms; a change should be seen everywhere at once
  gatherRenewalsMs: 500, // as a Java server: fewer, fuller batches
  maxQueued: 10_000,
  maxBatch: 250,
  farewellMs: 2_000,
});

export type ResolvedPeersOptions = PeerTimes &
  Required<Pick<PeersOptions, 'registry' | 'network' | 'clock' | 'random' | 'logger' | 'meter'>>;

/** @throws FlotillaError CONFIG_INVALID naming the option */
export function resolvePeersOptions(options: PeersOptions): ResolvedPeersOptions {
  const { registry, network, clock, random, logger = nullLogger, meter = nullMeter } = options;
  const times = Object.fromEntries(
    Object.entries(peerDefaults).map(([name, usual]) => [name, options[name as keyof PeerTimes] ?? usual]),
  ) as unknown as PeerTimes;
  for (const [name, value] of Object.entries(times)) {
    const least = name === 'startTimeoutMs' || name === 'farewellMs' || name.startsWith('gather') ? 0 : 1;
    if (Number.isFinite(value) && value >= least) continue;
    throw new FlotillaError('CONFIG_INVALID', `${name} must be a number from ${least} on, got ${value}`);
  }
  return Object.freeze({ registry, network, clock, random, logger, meter, ...times });
}
