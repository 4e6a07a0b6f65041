import { type Clock, FlotillaError, type Random, type Timer } from '@flotilla/core';
import type { InstanceKey } from '@flotilla/registry';
import type { PeerState } from '@flotilla/registry/server';
import { type ReadResult, type ReplicationItem, readResults } from './items.ts';
import type { PeersLog } from './log.ts';
import type { PeersMetrics } from './metrics.ts';
import type { ResolvedPeersOptions } from './options.ts';
import type { PeerAnswer, PeerHttp, PeerRequest } from './peer-http.ts';
import { type Task, TaskQueue } from './task-queue.ts';

/** What a peer's answer to a task makes necessary. */
export interface Reactions {
  /** The task as it is written now; undefined: there is nothing to tell any more. */
  itemOf(task: Task, forOurs: boolean): ReplicationItem | undefined;
  /** The peer lists a newer one. */
  adopt(document: unknown): void;
  /** The peer knows that this incarnation, and those before it, are gone. */
  gone(key: InstanceKey, incarnation: number): void;
  /** The peer does not know somebody who is listed here. */
  missing(key: InstanceKey): void;
  /** The peer answers again, or something that it had to know is lost: all that is listed is to be compared soon. */
  outdated(): void;
}

interface SenderNeeds {
  readonly url: string;
  readonly http: PeerHttp;
  readonly options: ResolvedPeersOptions;
  readonly reactions: Reactions;
  readonly log: PeersLog;
  readonly metrics: PeersMetrics;
}

/** Tasks in one batch to one of ours; it takes as many. */
export const maxBatchToOurs = 1_000;

const firstCongestedMs = 1_000;
const firstTransientMs = 100;
const longestWaitMs = 30_000;

/**
 * Tells one peer what it has to know, in order, one batch at a time.
 *
 * | what comes back | then |
 * |---|---|
 * | 2xx | each task's own result counts |
 * | 503, 429, nothing in time | the batch waits: 1 s, doubled with each failure up to 30 s, with jitter |
 * | no connection | the same from 100 ms on |
 * | 400, 413 for several tasks | the batch comes again in halves: one task must not hold up the others |
 * | anything else | the tasks are dropped |
 *
 * When the peer answers again after it did not, and when something was lost that it had to know, it is compared with soon.
 */
export class Sender {
  readonly url: string;
  readonly #http: PeerHttp;
  readonly #options: ResolvedPeersOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #reactions: Reactions;
  readonly #log: PeersLog;
  readonly #metrics: PeersMetrics;
  readonly #queue: TaskQueue;
  #kind: PeerState['kind'] = 'unknown';
  #reachable: boolean | undefined;
  /** Batches in a row that did not arrive. Other requests may, while batches are too much for a peer. */
  #failures = 0;
  #blockedUntil = 0;
  /** What waits, waits because nobody answered, not because the peer asked for it. */
  #unheard = false;
  #inFlight: readonly Task[] = [];
  /** What was lost when {@link Reactions.outdated} was said last. */
  #lostBefore = 0;
  /** Lower than the most while a batch that was refused comes again in parts. */
  #batchLimit = Infinity;
  #sending: Promise<void> | undefined;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #closed = false;
  #dropped = 0;
  #lastSuccessAt: number | undefined;
  #lastComparedAt: number | undefined;
  #lastError: PeerState['lastError'];
  #saidRefusal = '';
  #withholds: PeerState['withholds'];

  constructor({ url, http, options, reactions, log, metrics }: SenderNeeds) {
    this.url = url;
    this.#http = http;
    this.#options = options;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#reactions = reactions;
    this.#log = log;
    this.#metrics = metrics;
    this.#queue = new TaskQueue(options.maxQueued);
    metrics.reachable.with({ peer: url }).set(0);
    metrics.withholding.with({ peer: url }).set(0);
  }

  get kind(): PeerState['kind'] {
    return this.#kind;
  }

  get state(): PeerState {
    return {
      url: this.url,
      kind: this.#kind,
      reachable: this.#reachable === true,
      queued: this.#queue.size,
      lost: this.#lost,
      ...(this.#lastSuccessAt === undefined ? undefined : { lastSuccessAt: this.#lastSuccessAt }),
      ...(this.#lastComparedAt === undefined ? undefined : { lastComparedAt: this.#lastComparedAt }),
      ...(this.#lastError ? { lastError: this.#lastError } : undefined),
      ...(this.#withholds ? { withholds: this.#withholds } : undefined),
    };
  }

  /** True while nothing waits and nothing is on its way. */
  get idle(): boolean {
    return this.#queue.size === 0 && this.#sending === undefined;
  }

  get #lost(): number {
    const { expired, overflowed } = this.#queue.lost;
    return expired + overflowed + this.#dropped;
  }

  /**
   * Another registry said that somebody left. A Java server, which remembers nobody who left, lists whom a registration names
   * that is on its way right now, so it is told again.
   */
  withdraw(task: Task): void {
    const crosses = this.#inFlight.some(
      ({ kind, key }) => kind === 'register' && key.service === task.key.service && key.id === task.key.id,
    );
    if (crosses && this.#kind !== 'flotilla') this.offer(task);
  }

  offer(task: Task): void {
    if (this.#closed || this.#kind === 'self') return;
    this.#queue.offer(task, this.#clock.now());
    this.#plan();
  }

  /** Asks the peer something else; its answer, or that there is none, counts for {@link state}. */
  async ask(request: PeerRequest): Promise<PeerAnswer> {
    try {
      const answer = await this.#http.send(request);
      this.#answered(answer.node);
      return answer;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** All that is listed here and there was compared. */
  compared(): void {
    this.#lastComparedAt = Math.floor(this.#clock.wallNow());
  }

  /** It is no registry of ours: it has no fingerprints to compare. */
  notOurs(): void {
    if (this.#kind === 'unknown' || this.#kind === 'flotilla') this.#kind = 'eureka';
  }

  /** Renewals of this instance reach the peer, and word of them did not come here. */
  withholds({ service, id }: InstanceKey): void {
    if (!this.#withholds) this.#log.withholds({ peer: this.url, service, id });
    this.#withholds = { since: this.#withholds?.since ?? Math.floor(this.#clock.wallNow()), service, id };
    this.#metrics.withholding.with({ peer: this.url }).set(1);
  }

  /** Renewals that the peer hears come here. */
  passesOn(): void {
    if (!this.#withholds) return;
    this.#withholds = undefined;
    this.#log.passesOn({ peer: this.url });
    this.#metrics.withholding.with({ peer: this.url }).set(0);
  }

  isOurselves(): void {
    this.#kind = 'self';
    this.#queue.clear();
  }

  /** Sends what waits, as long as it arrives and for so long at most; then nothing any more. */
  async close(farewellMs: number): Promise<void> {
    const until = this.#clock.now() + farewellMs;
    let failures = this.#failures;
    while (!this.#closed && this.#queue.size > 0 && this.#clock.now() < until && this.#failures <= failures) {
      failures = this.#failures;
      await (this.#sending ?? this.#send());
    }
    this.#closed = true;
    this.#timer?.cancel();
    await this.#http.close();
    await this.#sending;
  }

  get #most(): number {
    return Math.min(this.#batchLimit, this.#kind === 'flotilla' ? maxBatchToOurs : this.#options.maxBatch);
  }

  /** When the next batch is due (monotonic). */
  get #dueAt(): number {
    const { change, renewal } = this.#queue.waitingSince;
    const full = this.#queue.size >= this.#most;
    const gathered = full
      ? 0
      : Math.min(
          change === undefined ? Infinity : change + this.#options.gatherMs,
          renewal === undefined ? Infinity : renewal + this.#options.gatherRenewalsMs,
        );
    return this.#queue.size === 0 ? Infinity : Math.max(gathered, this.#blockedUntil);
  }

  #plan(): void {
    if (this.#closed || this.#sending) return;
    const dueAt = this.#dueAt;
    if (dueAt >= this.#timerAt && this.#timer) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = dueAt;
    if (dueAt === Infinity) return;
    const waitMs = Math.max(0, dueAt - this.#clock.now());
    this.#timer = this.#clock.setTimer(waitMs, () => void this.#send(), { background: true });
  }

  /** Never rejects. */
  #send(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.#sending ??= this.#sendBatch().finally(() => {
      this.#sending = undefined;
      this.#metrics.queued.with({ peer: this.url }).set(this.#queue.size);
      this.#plan();
    });
    return this.#sending;
  }

  async #sendBatch(): Promise<void> {
    const tasks: Task[] = [];
    const replicationList: ReplicationItem[] = [];
    for (const task of this.#queue.take(this.#most, this.#clock.now())) {
      const item = this.#reactions.itemOf(task, this.#kind === 'flotilla');
      if (!item) continue;
      tasks.push(task);
      replicationList.push(item);
    }
    if (tasks.length === 0) return;
    this.#inFlight = tasks;
    try {
      const answer = await this.#http.send({
        method: 'POST',
        segments: ['peerreplication', 'batch', ''],
        json: { replicationList },
      });
      if (answer.status === 404) throw new FlotillaError('NO_ROUTE', 'there is no registry at this address');
      const results = readResults(answer.json, tasks.length);
      if (answer.node === undefined) this.notOurs();
      this.#answered(answer.node);
      this.#batchLimit = Infinity;
      this.#failures = 0;
      this.#blockedUntil = 0;
      this.#unheard = false;
      for (const [index, result] of results.entries()) this.#react(tasks[index], replicationList[index], result);
      this.#noticeLoss();
    } catch (error) {
      this.#notDone(tasks, error);
    } finally {
      this.#inFlight = [];
    }
  }

  #noticeLoss(): void {
    if (this.#lost === this.#lostBefore) return;
    this.#lostBefore = this.#lost;
    this.#reactions.outdated();
  }

  #react(task: Task | undefined, item: ReplicationItem | undefined, result: ReadResult): void {
    if (!task || !item) return;
    const { statusCode, entity, goneIncarnation } = result;
    const done = statusCode >= 200 && statusCode < 300;
    this.#metrics.tasks.with({ peer: this.url, result: done ? 'done' : 'refused' }).add();
    if (goneIncarnation !== undefined) this.#reactions.gone(task.key, goneIncarnation);
    if (done) return;
    this.#log.taskRefused({ peer: this.url, action: item.action, ...task.key, status: statusCode });
    if (task.kind !== 'heartbeat') {
      if (statusCode >= 500) this.#dropped++;
      return;
    }
    if (statusCode === 404) this.#reactions.missing(task.key);
    else if (entity !== undefined && entity !== null) this.#reactions.adopt(entity);
  }

  #notDone(tasks: readonly Task[], thrown: unknown): void {
    const { status, wait, detail } = judge(thrown);
    this.#failures++;
    this.#failed(thrown);
    if (wait === 'not at all') {
      const wasOurs = status === 400 && this.#kind === 'flotilla';
      if (wasOurs) this.#kind = 'eureka'; // a Java server came to its address: it refuses our notes
      if (wasOurs || ((status === 400 || status === 413) && tasks.length > 1)) {
        if (!wasOurs) this.#batchLimit = Math.ceil(tasks.length / 2);
        this.#queue.putBack(tasks, this.#clock.now());
        this.#blockedUntil = 0;
        return;
      }
      this.#dropped += tasks.length;
      this.#metrics.tasks.with({ peer: this.url, result: 'dropped' }).add(tasks.length);
      if (this.#saidRefusal !== detail) this.#log.refused({ peer: this.url, status, tasks: tasks.length, detail });
      this.#saidRefusal = detail;
      this.#blockedUntil = this.#clock.now() + (status === 401 || status === 403 ? this.#waitMs(firstCongestedMs) : 0);
      return;
    }
    this.#queue.putBack(tasks, this.#clock.now());
    this.#unheard = status === 0;
    this.#blockedUntil = this.#clock.now() + this.#waitMs(wait === 'congested' ? firstCongestedMs : firstTransientMs);
  }

  /** Half of the doubled time at least, so that several registries do not come back at one instant. */
  #waitMs(firstMs: number): number {
    const ceilingMs = Math.min(longestWaitMs, firstMs * 2 ** Math.min(this.#failures - 1, 16));
    return ceilingMs * (0.5 + 0.5 * this.#random());
  }

  #answered(node: string | undefined): void {
    if (node !== undefined && this.#kind !== 'self') this.#kind = 'flotilla';
    const isBack = this.#reachable === false;
    if (this.#reachable !== true) this.#log.reachable({ peer: this.url, kind: this.#kind });
    this.#reachable = true;
    if (isBack) this.#back();
    this.#saidRefusal = '';
    this.#lastSuccessAt = Math.floor(this.#clock.wallNow());
    this.#metrics.reachable.with({ peer: this.url }).set(1);
  }

  /** What waits goes at once; what was lost meanwhile is found by comparing. */
  #back(): void {
    if (this.#unheard) {
      this.#failures = 0;
      this.#blockedUntil = 0;
      this.#unheard = false;
      this.#plan();
    }
    this.#lostBefore = this.#lost;
    this.#reactions.outdated();
  }

  #failed(thrown: unknown): void {
    const { wait, detail } = judge(thrown);
    this.#lastError = { at: Math.floor(this.#clock.wallNow()), reason: detail };
    if (wait === 'not at all') return; // it answered
    if (this.#reachable !== false && !this.#closed) this.#log.unreachable({ peer: this.url, cause: thrown });
    this.#reachable = false;
    this.#metrics.reachable.with({ peer: this.url }).set(0);
  }
}

interface Judged {
  /** 0: no answer. */
  readonly status: number;
  readonly wait: 'congested' | 'transient' | 'not at all';
  readonly detail: string;
}

function judge(thrown: unknown): Judged {
  if (!(thrown instanceof FlotillaError)) return { status: 0, wait: 'transient', detail: String(thrown).slice(0, 300) };
  const { code, fromPeer, httpStatus, message } = thrown;
  const detail = message.slice(0, 300);
  if (code === 'DEADLINE_EXCEEDED' || code === 'UNAVAILABLE' || code === 'RATE_LIMITED')
    return { status: fromPeer ? httpStatus : 0, wait: 'congested', detail };
  if (!fromPeer && (code === 'CONNECT_FAILED' || code === 'CONNECTION_LOST' || code === 'CANCELLED'))
    return { status: 0, wait: 'transient', detail };
  return { status: httpStatus, wait: 'not at all', detail };
}
