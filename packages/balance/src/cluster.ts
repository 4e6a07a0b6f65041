import type {
  Address,
  Call,
  Clock,
  Endpoint,
  Instance,
  InstanceStatus,
  Logger,
  Meter,
  Random,
  Resolver,
  Target,
} from '@flotilla/core';
import type { PickExplanation } from './explain.ts';
import type { Judge } from './judge.ts';
import type { LiveSetCache } from './live-set-cache.ts';
import type { OutlierListener } from './outlier-listener.ts';
import type { PartialBalanceSettings } from './settings.ts';

/** What a cluster is made of. */
export interface ClusterOptions<Req, Res> extends PartialBalanceSettings {
  readonly target: Target;
  readonly resolver: Resolver;
  /**
   * An endpoint for one instance; called when the instance is first picked. The cluster closes it.
   * @param report takes what the instance says of its load, at any time, as long as the endpoint lives.
   */
  readonly connect: (address: Address, instance: Instance, report: LoadReport) => Endpoint<Req, Res>;
  /** What this caller speaks, best first: the first one that an instance speaks is used. */
  readonly protocols: readonly string[];
  /** Which of the target's instances this caller can use at all; the others are known, but never picked. Default: all. */
  readonly accepts?: ((instance: Instance) => boolean) | undefined;
  /** Where this caller runs. Default: it does not know, and no zone is preferred. */
  readonly ownZone?: string | undefined;
  /** Tells this caller from its siblings, for `subset`: the id of its instance. Default: a random one. */
  readonly caller?: string | undefined;
  /** Which outcomes count against an instance. Default: by the error's code; see {@link judgeByCode}. */
  readonly judge?: Judge<Res> | undefined;
  /** Hears who is ejected and readmitted, beside the log. Default: nobody. */
  readonly outliers?: OutlierListener | undefined;
  /**
   * Hears that half or more of the instances that may be called have just come: what the target did before says nothing
   * of it now. Must not throw. Default: nobody.
   */
  readonly renewed?: (() => void) | undefined;
  /** Where the last known good set is kept. Default: in memory only. */
  readonly cache?: LiveSetCache | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger | undefined;
  readonly meter?: Meter | undefined;
}

/** Where an endpoint tells what its instance says of itself. */
export interface LoadReport {
  /** Whether anybody looks at it now: only then is it worth asking the instance. */
  readonly wanted: boolean;
  /** How busy its event loop is, 0 to 1; anything else is ignored. */
  utilisation(share: number): void;
}

/** One instance as a console shows it. */
export interface InstanceView {
  readonly id: string;
  readonly address: Address;
  readonly status: InstanceStatus;
  readonly weight: number;
  /** Calls in flight. */
  readonly load: number;
  /** Calls that have ended since it was first seen, and how many of them counted as failures. */
  readonly calls: number;
  readonly failures: number;
  /** For how long it still gets no calls; 0 when it is not ejected. */
  readonly ejectedForMs: number;
}

/**
 * All instances of a target behind one endpoint.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | created | nothing is open | started, at {@link start} or the first call |
 * | started | calls wait for the first set of instances | known, closed |
 * | known | calls go to instances | closed |
 * | closed | refuses | none |
 *
 * `close`: 1. stops following the resolver; 2. refuses who waits; 3. lets calls in hand end and closes the endpoints;
 * 4. ends saving.
 */
export interface Cluster<Req, Res> extends Endpoint<Req, Res> {
  readonly target: Target;
  /** Begins to follow the target. Without it the first call does. Later calls do nothing. */
  start(): void;
  /** True once a resolver or the disk named the instances. */
  readonly known: boolean;
  /**
   * Resolves when {@link known}; waits as long as a call would.
   * @throws FlotillaError NO_INSTANCE, or the reason why the call was cancelled.
   */
  whenKnown(call: Call): Promise<void>;
  /** All instances that this caller can reach, at this moment. */
  instances(): readonly InstanceView[];
  /**
   * Other settings count from the next call on; what is not named has its default again. `firstSetTimeoutMs` counts for
   * a cluster that has not been started.
   * @throws RangeError naming the first field that does not fit; then nothing changes.
   */
  configure(settings: PartialBalanceSettings): void;
  /**
   * Why calls go where they go: the candidates with their numbers, and who was left out by which rule.
   * @param call whose lane counts. Default: a call without a label.
   */
  explain(call?: Call): PickExplanation;
}
