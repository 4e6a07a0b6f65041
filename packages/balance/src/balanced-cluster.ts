import {
  type Call,
  type Clock,
  type EndpointStatus,
  type EndWatcher,
  effectiveStatus,
  FlotillaError,
  formatTarget,
  type Handler,
  type Instance,
  type InstanceSet,
  instantOf,
  nullLogger,
  nullMeter,
  type Outcome,
  raceAttribute,
  type Target,
  toFlotillaError,
  type Watch,
} from '@flotilla/core';
import type { Cluster, ClusterOptions, InstanceView, LoadReport } from './cluster.ts';
import { ejectedForMs, explainPick, type PickExplanation } from './explain.ts';
import { FirstSet } from './first-set.ts';
import { type Judge, judgeByCode } from './judge.ts';
import { LastKnown } from './last-known.ts';
import { mergeSet, saysSomething } from './live-set.ts';
import { type BalanceLog, balanceLog } from './log.ts';
import type { Member } from './member.ts';
import { Members } from './members.ts';
import { balanceMetrics } from './metrics.ts';
import { nobodyElse, noneCanServe, notKnownYet, tooManyWait } from './no-instance.ts';
import type { Judgement } from './outlier.ts';
import { Rotation } from './rotation.ts';
import { type BalanceSettings, type PartialBalanceSettings, resolveBalance } from './settings.ts';
import { rememberTried, type TriedKey, triedKey } from './tried.ts';

/**
 * A cluster. Opens nothing before it is started or called.
 *
 * Errors of its calls: NO_INSTANCE (nothing was sent), UNAVAILABLE after `close`, and the endpoints' own.
 * @throws RangeError
 */
export function createCluster<Req, Res>(options: ClusterOptions<Req, Res>): Cluster<Req, Res> {
  return new BalancedCluster(options);
}

/** How many times as slow an instance counts for each call that it sheds, as far as `failureMs`. */
const shedFactor = 4;

/** Joins live set, rotation and calls. */
class BalancedCluster<Req, Res> implements Cluster<Req, Res> {
  readonly target: Target;
  readonly handle: Handler<Req, Res>;

  readonly #options: ClusterOptions<Req, Res>;
  #settings: BalanceSettings;
  readonly #clock: Clock;
  readonly #log: BalanceLog;
  readonly #judge: Judge<Res>;
  readonly #members: Members<Req, Res>;
  readonly #rotation: Rotation<Req, Res>;
  readonly #lastKnown: LastKnown;
  readonly #firstSet = new FirstSet();
  readonly #tried: TriedKey = triedKey();
  #live: readonly Instance[] = [];
  #answered = false;
  /** The last word came from a registry that has not heard of everybody yet. */
  #warming = false;
  #watch: Watch | undefined;
  /** What the resolver said last. */
  #lastWord: InstanceSet | undefined;
  #started = false;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(options: ClusterOptions<Req, Res>) {
    const { target, clock, random, logger = nullLogger, meter = nullMeter } = options;
    this.target = target;
    this.#options = options;
    this.#settings = resolveBalance(options);
    this.#clock = clock;
    this.#log = balanceLog(logger, target, options.outliers);
    this.#judge = options.judge ?? judgeByCode;
    this.#members = new Members({
      protocols: options.protocols,
      accepts: options.accepts,
      connect: (address, instance, member) => options.connect(address, instance, this.#reportOf(member)),
      decayMs: () => this.#settings.decayMs,
      onCloseFailed: (member, cause) => this.#log.endpointNotClosed(member, cause),
    });
    this.#rotation = new Rotation(this.#settings, {
      random,
      clock,
      zone: options.ownZone,
      caller: options.caller ?? String(random()),
      log: this.#log,
      metrics: balanceMetrics(meter, target),
      up: () => this.#members.up(),
    });
    this.#lastKnown = new LastKnown(options.cache, target, clock, this.#log);
    this.handle = (request, call) => (this.known ? this.#send(request, call) : this.#waitAndSend(request, call));
  }

  get status(): EndpointStatus {
    if (this.#closed) return 'closed';
    return this.known && this.#rotation.isEmpty ? 'busy' : 'open';
  }

  get load(): number {
    return this.#rotation.inFlight;
  }

  get known(): boolean {
    return this.#firstSet.known;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#firstSet.begin(this.#clock.now(), this.#settings.firstSetTimeoutMs);
    this.#lastKnown.load(({ instances, savedAt }) => {
      if (this.#answered || this.#closed) return;
      this.#log.cachedSetUsed(instances.length, Math.max(0, this.#clock.wallNow() - savedAt));
      this.#adopt(instances);
    });
    this.#watch = this.#options.resolver.watch(this.target, (set) => this.#update(set));
  }

  async whenKnown(call: Call): Promise<void> {
    if (this.#closed) throw this.#closedError();
    this.start();
    const { maxWaiting } = this.#settings;
    if (!this.known && this.#firstSet.waiting >= maxWaiting) throw tooManyWait(this.target, maxWaiting);
    const since = this.#clock.now();
    const result = await this.#firstSet.wait(call);
    if (result === 'late') throw notKnownYet(this.target, this.#clock.now() - since, this.#warming);
    if (result !== 'known') throw result;
  }

  configure(settings: PartialBalanceSettings): void {
    this.#settings = resolveBalance(settings);
    this.#rotation.configure(this.#settings);
  }

  explain(call?: Call): PickExplanation {
    this.#rotation.refresh();
    return explainPick(
      {
        target: this.target,
        settings: this.#settings,
        zone: this.#options.ownZone,
        members: this.#members,
        rotation: this.#rotation,
        protocols: this.#options.protocols,
        now: this.#clock.now(),
        wallNow: this.#clock.wallNow(),
      },
      call,
    );
  }

  instances(): readonly InstanceView[] {
    const now = this.#clock.now();
    return Array.from(this.#members.all(), (member) => viewOf(member, now));
  }

  close(): Promise<void> {
    this.#closed = true; // first: whatever closing calls back must find it so
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#started = true; // too late to start
    this.#watch?.close();
    this.#firstSet.settle(this.#closedError());
    await this.#members.close(this.#clock.now());
    await this.#lastKnown.settled();
  }

  #update(set: InstanceSet): void {
    if (this.#closed) return;
    const merged = mergeSet(this.#live, set, this.#lastWord);
    this.#lastWord = set;
    this.#answered ||= saysSomething(set);
    this.#warming = set.warming;
    this.#adopt(merged, saysSomething(set));
    this.#log.changed(merged.length, this.#rotation.up, set.warming);
    this.#lastKnown.save(merged);
  }

  #adopt(instances: readonly Instance[], known = true): void {
    const before = this.known && this.#options.renewed ? new Set(this.#members.up()) : undefined;
    this.#live = instances;
    this.#members.update(instances, this.#clock.now());
    this.#log.passedOver(this.#members.unaccepted);
    this.#rotation.rebuild();
    if (before && isRenewed(before, this.#members.up())) this.#options.renewed?.();
    if (known) this.#firstSet.settle('known');
  }

  async #waitAndSend(request: Req, call: Call): Promise<Res> {
    try {
      await this.whenKnown(call);
    } catch (thrown) {
      call.end(toFlotillaError(thrown));
      throw thrown;
    }
    return this.#send(request, call);
  }

  #send(request: Req, call: Call): Promise<Res> {
    const startedAt = instantOf(this.#clock);
    const tried = call.get(this.#tried);
    const member = this.#rotation.pick(call, startedAt, tried);
    if (!member || this.#closed) return Promise.reject(this.#refuse(call));
    const race = call.get(raceAttribute);
    if (race === 'first') rememberTried(call, this.#tried, member);
    else if (race === 'second' && tried?.has(member)) return Promise.reject(this.#nobodyElse(call));
    this.#rotation.began(member, startedAt);
    const answer = this.#begin(member, request, call);
    // A judge of somebody's own wants to see the answer.
    if (answer === call.told?.promise && this.#options.judge === undefined) {
      call.tells(new Sent(this, member, startedAt, call));
      return answer;
    }
    return answer.then(
      (response) => {
        this.#headCame(member, startedAt, call.ended ? call.endedAt : this.#clock.now());
        call.onEnd((outcome) => this.#record(member, outcome, response, call.endedAt));
        return response;
      },
      (thrown) => {
        rememberTried(call, this.#tried, member);
        this.#failed(member, startedAt, toFlotillaError(thrown), this.#clock.now());
        throw thrown;
      },
    );
  }

  /** Of a call that tells all of its answer. */
  sentEnded(member: Member<Req, Res>, startedAt: number, call: Call, outcome: Outcome): void {
    const now = call.endedAt;
    if (outcome) {
      rememberTried(call, this.#tried, member);
      this.#failed(member, startedAt, outcome, now);
    } else {
      this.#headCame(member, startedAt, now);
      this.#record(member, undefined, undefined, now);
    }
  }

  /** Making the endpoint may fail, too. */
  #begin(member: Member<Req, Res>, request: Req, call: Call): Promise<Res> {
    try {
      return member.endpoint.handle(request, call);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /** The head of an answer has come. */
  #headCame(member: Member<Req, Res>, startedAt: number, now: number): void {
    member.latency.ended(now);
    member.latency.observe(now - startedAt, now, this.#settings.decayMs);
  }

  /** No answer has come, and none will. */
  #failed(member: Member<Req, Res>, startedAt: number, error: FlotillaError, now: number): void {
    member.latency.ended(now);
    const { decayMs, failureMs } = this.#settings;
    // Who was not waited for to the end would have taken at least that long; who declined has answered.
    if (this.#record(member, error, undefined, now) === 'success') {
      member.latency.observe(now - startedAt, now, decayMs);
      return;
    }
    member.latency.atLeast(now - startedAt, now, decayMs);
    // Who sheds is not ejected, but what it refuses so quickly must not make it the quickest: it counts as ever slower.
    if (error.executed === 'no' && error.retryAfterMs !== undefined) {
      const slowerMs = Math.max(error.retryAfterMs, shedFactor * member.latency.at(now, decayMs));
      member.latency.atLeast(Math.min(failureMs, slowerMs), now, decayMs);
    }
  }

  #record(member: Member<Req, Res>, outcome: Outcome, response: Res | undefined, now: number): Judgement | 'ignore' {
    this.#rotation.ended(member);
    member.calls += 1;
    const judgement = this.#judge(outcome, response);
    if (judgement === 'failure') {
      const { failureMs, decayMs } = this.#settings;
      member.latency.atLeast(failureMs, now, decayMs);
    }
    // Who is leaving may fail: that is no news, and its peers do not pay for it with their room.
    if (judgement !== 'ignore' && this.#members.isUp(member)) this.#rotation.judged(member, judgement, now);
    return judgement;
  }

  #reportOf(member: Member<Req, Res>): LoadReport {
    const wanted = (): boolean => this.#settings.pick === 'least-utilised';
    return {
      get wanted() {
        return wanted();
      },
      utilisation: (share) => member.utilisation.report(share, this.#clock.now()),
    };
  }

  #refuse(call: Call): FlotillaError {
    const error = this.#closed ? this.#closedError() : this.#noInstance();
    call.end(error);
    return error;
  }

  #nobodyElse(call: Call): FlotillaError {
    const error = nobodyElse(this.target);
    call.end(error);
    return error;
  }

  #noInstance(): FlotillaError {
    const now = this.#clock.now();
    const ejected = Array.from(this.#members.all()).filter((member) => ejectedForMs(member, now) > 0).length;
    return noneCanServe(this.target, this.#members.census(), ejected, this.#options.protocols);
  }

  #closedError(): FlotillaError {
    return new FlotillaError('UNAVAILABLE', `the client of "${formatTarget(this.target)}" was closed`);
  }
}

/** Half or more of them are new. */
function isRenewed<T>(before: ReadonlySet<T>, now: readonly T[]): boolean {
  const came = now.filter((member) => !before.has(member)).length;
  return came > 0 && came * 2 >= now.length;
}

/** A call on its way to an instance, which its own end tells the cluster of. */
class Sent<Req, Res> implements EndWatcher {
  nextWatcher: EndWatcher | undefined;
  readonly #cluster: BalancedCluster<Req, Res>;
  readonly #member: Member<Req, Res>;
  readonly #startedAt: number;
  readonly #call: Call;

  constructor(cluster: BalancedCluster<Req, Res>, member: Member<Req, Res>, startedAt: number, call: Call) {
    this.nextWatcher = undefined;
    this.#cluster = cluster;
    this.#member = member;
    this.#startedAt = startedAt;
    this.#call = call;
  }

  ended(outcome: Outcome): void {
    this.#cluster.sentEnded(this.#member, this.#startedAt, this.#call, outcome);
  }
}

function viewOf<Req, Res>(member: Member<Req, Res>, now: number): InstanceView {
  const { instance, address, weight, load, calls, failures } = member;
  return {
    id: instance.id,
    address,
    status: effectiveStatus(instance),
    weight,
    load,
    calls,
    failures,
    ejectedForMs: ejectedForMs(member, now),
  };
}
