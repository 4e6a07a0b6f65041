import {
  Backoff,
  Call,
  FlotillaError,
  formatTarget,
  type InstanceSet,
  jittered,
  type Target,
  type Timer,
} from '@flotilla/core';
import { decodeEvents, errorFromResponse, HttpHeaders, type HttpResponse, readBody } from '@flotilla/http';
import { watchField } from '../watch-field.ts';
import type { LeftOut } from './answers.ts';
import { FollowedList } from './followed-list.ts';
import { afterTry, atFirst, type End, type Following, type Way } from './following.ts';
import { instanceSet, type LiveSet } from './live-set.ts';
import type { ClientLog } from './log.ts';
import type { ResolvedClientOptions } from './options.ts';
import { maxAnswerBytes, type RegistryAnswer, type RegistryRequest, type RegistryServers } from './servers.ts';

/** What a {@link Subscription} needs. */
export interface SubscriptionParts {
  readonly target: Target;
  readonly servers: RegistryServers;
  readonly options: ResolvedClientOptions;
  readonly log: ClientLog;
}

/** A connection that lived this long worked, even when it brought no news. */
const workedAfterMs = 5_000;
/** After an empty answer that is not believed yet the next one is asked for this soon. */
const doubtMs = 1_000;
/** Who closes a watch waits no longer for the registry to hear of it. */
const farewellMs = 500;
/** A long poll waits so long for news: proxies allow answers to take 30 s and more. */
const longPollMs = 20_000;
/** Push that is tried again after it did not come through: the registry gives a sign of life every 18 s at the latest. */
const probationSilenceMs = 20_000;
/** Answers of a registry, or a proxy before it, that has nothing there. */
const missing: ReadonlySet<number> = new Set([404, 405, 406, 501]);
const problemHeaders = new HttpHeaders([['content-type', 'application/problem+json']]);

const reasons: Readonly<Record<Way, string>> = Object.freeze({
  push: 'the registry pushes changes',
  'long-poll': 'push does not come through; it is tried again now and then',
  polling: 'neither push nor long polls come through; they are tried again before each fetch',
});

/**
 * Follows one target for everybody in this process who watches it. The last set that was known stays true until there
 * is a newer one, however long the registry is gone.
 *
 * | mode | does | exits: {@link Following} |
 * |---|---|---|
 * | push | one request whose answer never ends | broken off → again with the cursor, after a short wait; silent, of another type, or not there → long poll |
 * | long poll | a request that is answered at the first news, or after 20 s, and another one | push again after 30 s ± 20 %, then after twice as long each time, up to 8 min |
 * | polling | fetches the list, waits 30 s ± 20 % | then tries push again |
 * | closed | nothing | none |
 */
export class Subscription {
  readonly #parts: SubscriptionParts;
  readonly #name: string;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<(set: InstanceSet) => void>();
  readonly #call: Call;
  readonly #list: FollowedList;
  #following: Following = atFirst;
  #mode: Way | undefined;
  #refusal = '';
  #leftOut = '';
  /** Why the last try failed. */
  #failure: unknown;
  #wait: { timer: Timer; done: () => void } | undefined;
  /** What the registry calls our watch, over all its connections. */
  #watch: string | undefined;
  #acknowledging = false;
  /** The present push or long poll; of a poll it is not known yet who answers. */
  #open: { readonly call: Call; readonly registry?: string } | undefined;
  readonly #stay: () => void;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#name = formatTarget(parts.target);
    const { clock, random } = parts.options;
    this.#backoff = new Backoff(random);
    this.#call = new Call({ clock, random });
    this.#list = new FollowedList({
      changed: (next) => this.#announce(next),
      leftOut: (facts) => this.#noteLeftOut(facts),
    });
    this.#stay = parts.servers.onSwitch((registry) => this.#move(registry));
    void this.#follow();
  }

  get unwatched(): boolean {
    return this.#listeners.size === 0;
  }

  /** @returns takes the listener back. */
  listen(listener: (set: InstanceSet) => void): () => void {
    // Of its own for each watch: one function may watch twice.
    const own = (set: InstanceSet): void => listener(set);
    this.#listeners.add(own);
    queueMicrotask(() => {
      const { known } = this.#list;
      if (known && this.#listeners.has(own)) this.#tell(own, instanceSet(known));
    });
    return () => this.#listeners.delete(own);
  }

  /** Resolves when the registry was told, or after a moment. Never rejects. */
  close(): Promise<void> {
    const farewell = this.#farewell();
    this.#stay();
    this.#listeners.clear();
    this.#call.cancel(new FlotillaError('CANCELLED', `nobody watches ${this.#name} any more`));
    this.#call.end();
    this.#wait?.timer.cancel();
    this.#wait?.done();
    return farewell;
  }

  /** Nobody need wait for this watch to come back. */
  async #farewell(): Promise<void> {
    const { servers, options } = this.#parts;
    if (!this.#open || this.#watch === undefined) return;
    const { clock, random } = options;
    const call = new Call({ clock, random, deadline: clock.now() + farewellMs });
    try {
      await servers.send({ method: 'DELETE', segments: ['watches', this.#watch] }, call);
    } catch {
      // It will find out by itself.
    } finally {
      call.end();
    }
  }

  /** The process uses another registry from now on: whoever is registered there is to be seen there. */
  #move(registry: string): void {
    if (!this.#open || this.#open.registry === registry) return;
    this.#open.call.cancel(new FlotillaError('CANCELLED', `following ${registry} from now on`));
  }

  get #closed(): boolean {
    return this.#call.cancelled !== undefined;
  }

  async #follow(): Promise<void> {
    const { clock, random, pollEveryMs } = this.#parts.options;
    while (!this.#closed) {
      this.#failure = undefined;
      const end = await this.#try(this.#following.way);
      if (this.#closed) return;
      const { next, pause } = afterTry(this.#following, end, { now: clock.now(), periodMs: pollEveryMs, random });
      this.#following = next;
      if (pause === 'period') await this.#sleep(jittered(pollEveryMs, random));
      else if (end === 'worked' && this.#list.known?.doubted) await this.#sleep(jittered(doubtMs, random));
      else if (pause === 'backoff') await this.#sleep(this.#backoff.nextMs(this.#failure));
    }
  }

  #try(way: Way): Promise<End> {
    if (way === 'push') return this.#push();
    return way === 'long-poll' ? this.#longPoll() : this.#poll();
  }

  async #push(): Promise<End> {
    const { clock } = this.#parts.options;
    const life = { beganAt: clock.now(), heard: false, silent: false };
    let worked = false;
    try {
      const { response, call, registry } = await this.#parts.servers.open(
        this.#request('watch', 'text/event-stream'),
        this.#call,
      );
      this.#open = { call, registry };
      if (!(await this.#isPush(response, call))) return 'broken';
      this.#watch = response.headers.get(watchField);
      const bytes = this.#guarded(response, call, life);
      for await (const { event, id, data } of decodeEvents(bytes, { maxEventBytes: maxAnswerBytes })) {
        this.#list.takeEvent(event, data, id);
        void this.#acknowledge();
        worked = true;
        this.#enter('push');
        if (this.#list.known?.doubted) {
          this.#list.forgetCursor();
          call.cancel();
          return 'worked';
        }
      }
    } catch (error) {
      this.#noteFailure(error);
      if (life.silent || (error instanceof FlotillaError && error.code === 'DEADLINE_EXCEEDED')) return 'broken';
    } finally {
      this.#open = undefined;
    }
    // One that breaks right after its first news is tried again too, but ever more slowly.
    const lived = life.heard && clock.now() - life.beganAt >= workedAfterMs;
    if (lived) this.#backoff.reset();
    return worked || lived ? 'worked' : 'failed';
  }

  /** The first one is answered at once: so it is known soon whether this way works. */
  async #longPoll(): Promise<End> {
    const isFirst = this.#following.pushAgainAt === undefined;
    const waitMs = isFirst ? 0 : longPollMs;
    const call = this.#call.child();
    this.#open = { call };
    try {
      const request = this.#request('watch', 'application/json', waitMs);
      const answer = await this.#parts.servers.send(request, call);
      if (missing.has(answer.status) || answer.status === 400) return 'broken'; // an old registry knows no "wait"
      if (answer.status !== 200) return this.#refused(answer);
      this.#watch = this.#list.takeNews(answer.body);
      this.#list.takeOwed(); // the cursor of the next one says it
      if (this.#list.known?.doubted) this.#list.forgetCursor();
      this.#enter('long-poll');
      this.#backoff.reset();
      return 'worked';
    } catch (error) {
      this.#noteFailure(error);
      return isFirst && error instanceof FlotillaError && error.code === 'BAD_RESPONSE' ? 'broken' : 'failed';
    } finally {
      call.end();
      this.#open = undefined;
    }
  }

  async #poll(): Promise<End> {
    try {
      const answer = await this.#parts.servers.send(this.#request('instances', 'application/json'), this.#call);
      if (answer.status !== 200) return this.#refused(answer);
      this.#list.takeList(answer.body);
      this.#enter('polling');
      this.#backoff.reset();
      return 'worked';
    } catch (error) {
      this.#noteFailure(error); // that the registry cannot be reached is said by whoever tried
      return 'failed';
    }
  }

  #request(path: 'watch' | 'instances', accept: string, waitMs?: number): RegistryRequest {
    const { target } = this.#parts;
    if (path === 'instances') return { method: 'GET', segments: [path], query: { ...target }, accept };
    const query = { ...target, cursor: this.#list.cursor, form: 'compact', as: 'caller', watch: this.#watch };
    if (waitMs === undefined) return { method: 'GET', segments: [path], query, accept };
    return { method: 'GET', segments: [path], query: { ...query, wait: String(waitMs) }, accept, waitMs };
  }

  #refused({ status, body }: RegistryAnswer): End {
    this.#noteRefusal(status, errorFromResponse({ status, headers: problemHeaders, body }, body).detail);
    return 'failed';
  }

  /** @returns false when it is something else, or there is none. @throws FlotillaError when it is refused */
  async #isPush(response: HttpResponse, call: Call): Promise<boolean> {
    const { status } = response;
    if (status === 200 && /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')) return true;
    if (status === 200 || missing.has(status)) {
      call.cancel();
      return false;
    }
    const body = await readBody(response.body, 65_536, call).catch(() => new Uint8Array());
    const error = errorFromResponse(response, body);
    call.cancel();
    this.#noteRefusal(status, error.detail);
    throw error;
  }

  /** The bytes of a push; ended when none comes for too long. The first one comes with the head: the registry sends it at once. */
  async *#guarded(
    { body }: HttpResponse,
    call: Call,
    life: { readonly beganAt: number; heard: boolean; silent: boolean },
  ): AsyncGenerator<Uint8Array, void> {
    const { clock, requestTimeoutMs, silenceMs } = this.#parts.options;
    const arm = (limitMs: number): Timer =>
      clock.setTimer(
        limitMs,
        () => {
          life.silent = true;
          call.cancel(new FlotillaError('CONNECTION_LOST', `the registry was silent for ${limitMs} ms`));
        },
        { background: true },
      );
    const allowedMs = this.#following.breaks === 0 ? silenceMs : Math.min(silenceMs, probationSilenceMs);
    let timer = arm(requestTimeoutMs);
    try {
      if (body === undefined || body instanceof Uint8Array) return;
      for await (const chunk of body) {
        life.heard = true;
        if (clock.now() - life.beganAt >= workedAfterMs) this.#enter('push');
        timer.cancel();
        timer = arm(allowedMs);
        yield chunk;
      }
    } finally {
      timer.cancel();
    }
  }

  /**
   * Tells the registry up to where we know it, where somebody may wait for that: callers do not pick who leaves any more.
   * One word at a time, each for all before. Never rejects: one that is not heard costs whoever leaves some time.
   */
  async #acknowledge(): Promise<void> {
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    while (!this.#closed && this.#list.takeOwed()) {
      const { revision } = this.#list;
      if (this.#watch === undefined || revision === undefined) break;
      const segments = ['watches', this.#watch, 'acknowledgement'];
      const query = { revision: String(revision) };
      await this.#parts.servers.send({ method: 'POST', segments, query }, this.#call).catch(() => {});
    }
    this.#acknowledging = false;
  }

  #announce(next: LiveSet): void {
    if (this.#closed) return;
    const set = instanceSet(next);
    for (const listener of this.#listeners) this.#tell(listener, set);
  }

  #tell(listener: (set: InstanceSet) => void, set: InstanceSet): void {
    try {
      listener(set);
    } catch (cause) {
      this.#parts.log.listenerFailed({ target: this.#name, cause });
    }
  }

  #enter(mode: Way): void {
    if (this.#mode === mode) return;
    this.#mode = mode;
    this.#refusal = '';
    this.#parts.log.mode({ target: this.#name, mode, reason: reasons[mode] });
  }

  /** What cannot be understood is asked for from the beginning. */
  #noteFailure(error: unknown): void {
    this.#failure = error;
    if (error instanceof FlotillaError && error.code === 'BAD_RESPONSE') this.#list.forgetCursor();
  }

  /** The same again, as with each fetch of a list, is not said again. */
  #noteLeftOut({ count, examples }: LeftOut): void {
    const words = `${count} ${examples.join()}`;
    if (words === this.#leftOut) return;
    this.#leftOut = words;
    this.#parts.log.leftOut({ target: this.#name, count, examples });
  }

  #noteRefusal(status: number, reason: string): void {
    const refusal = `${status} ${reason}`;
    if (this.#refusal === refusal) return;
    this.#refusal = refusal;
    this.#parts.log.watchRefused({ target: this.#name, status, reason });
  }

  #sleep(delayMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#parts.options.clock.setTimer(delayMs, resolve, { background: true });
      this.#wait = { timer, done: resolve };
    });
  }
}
