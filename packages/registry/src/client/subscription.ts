import {
  Backoff,
  Call,
  effectiveStatus,
  FlotillaError,
  formatIdentity,
  formatTarget,
  type Instance,
  type InstanceSet,
  jittered,
  type Target,
  type Timer,
} from '@flotilla/core';
import { decodeEvents, errorFromResponse, type HttpResponse, readBody } from '@flotilla/http';
import { parseCursor } from '../cursor.ts';
import type { SeenChange } from '../lease/change.ts';
import { watchField } from '../watch-field.ts';
import { keyOf, type LeftOut, patched, readChange, readSnapshot, type SeenPatch } from './answers.ts';
import { applyChange, applySnapshot, differs, instanceSet, type LiveSet } from './live-set.ts';
import type { ClientLog } from './log.ts';
import type { ResolvedClientOptions } from './options.ts';
import { maxAnswerBytes, type RegistryRequest, type RegistryServers } from './servers.ts';

/** What a {@link Subscription} needs. */
export interface SubscriptionParts {
  readonly target: Target;
  readonly servers: RegistryServers;
  readonly options: ResolvedClientOptions;
  readonly log: ClientLog;
}

/** How a push connection ended: it had worked; it never did; the registry (or a proxy before it) has no push. */
type PushEnd = 'ended' | 'failed' | 'missing';

/** Push is given up for polling after this many failures in a row. */
const failuresBeforePolling = 3;
/** A connection that lived this long worked, even when it brought no news. */
const workedAfterMs = 5_000;
/** After an empty answer that is not believed yet the next one is asked for this soon. */
const doubtMs = 1_000;
/** Who closes a watch waits no longer for the registry to hear of it. */
const farewellMs = 500;
const noPush: ReadonlySet<number> = new Set([404, 405, 406, 501]);

/**
 * Follows one target for everybody in this process who watches it. The last set that was known stays true until there
 * is a newer one, however long the registry is gone.
 *
 * | mode | does | exits |
 * |---|---|---|
 * | push | one request whose answer never ends | broken → push again with the cursor, after a short wait; three failures in a row, or no push there → polling |
 * | polling | fetches the list, waits 30 s ± 20 % | then tries push again |
 * | closed | nothing | none |
 */
export class Subscription {
  readonly #parts: SubscriptionParts;
  readonly #name: string;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<(set: InstanceSet) => void>();
  readonly #call: Call;
  #known: LiveSet | undefined;
  #cursor: string | undefined;
  #mode: 'push' | 'polling' | undefined;
  #refusal = '';
  #leftOut = '';
  /** Whether a byte came on the present connection. */
  #heard = false;
  /** Why the last try failed. */
  #failure: unknown;
  #wait: { timer: Timer; done: () => void } | undefined;
  /** What the registry calls our watch, over all its connections. */
  #watch: string | undefined;
  /** Whether the registry is to be told that we know what it last told us. */
  #owed = false;
  #acknowledging = false;
  /** Who was left out of the list, so that news of it are no surprise. */
  #unusable = new Set<string>();
  /** The present push connection. */
  #pushed: { readonly call: Call; readonly registry: string } | undefined;
  readonly #stay: () => void;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#name = formatTarget(parts.target);
    const { clock, random } = parts.options;
    this.#backoff = new Backoff(random);
    this.#call = new Call({ clock, random });
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
      if (this.#known && this.#listeners.has(own)) this.#tell(own, instanceSet(this.#known));
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
    if (!this.#pushed || this.#watch === undefined) return;
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
    if (!this.#pushed || this.#pushed.registry === registry) return;
    this.#pushed.call.cancel(new FlotillaError('CANCELLED', `following ${registry} from now on`));
  }

  get #closed(): boolean {
    return this.#call.cancelled !== undefined;
  }

  async #follow(): Promise<void> {
    const { pollEveryMs } = this.#parts.options;
    for (let failures = 0; !this.#closed; ) {
      const end = await this.#push();
      failures = end === 'ended' ? 0 : failures + 1;
      if (this.#closed) return;
      if (end === 'ended' && this.#known?.doubted) await this.#sleep(this.#jittered(doubtMs));
      else if (end !== 'missing' && failures < failuresBeforePolling)
        await this.#sleep(this.#backoff.nextMs(this.#failure));
      else await this.#sleep((await this.#poll()) ? this.#jittered(pollEveryMs) : this.#backoff.nextMs(this.#failure));
    }
  }

  async #push(): Promise<PushEnd> {
    const { clock } = this.#parts.options;
    const startedAt = clock.now();
    let worked = false;
    this.#heard = false;
    this.#failure = undefined;
    try {
      const { response, call, registry } = await this.#parts.servers.open(
        this.#request('watch', 'text/event-stream'),
        this.#call,
      );
      this.#pushed = { call, registry };
      if (noPush.has(response.status)) {
        call.cancel();
        return 'missing';
      }
      await this.#refuseUnlessEvents(response, call);
      this.#watch = response.headers.get(watchField);
      for await (const { event, id, data } of decodeEvents(this.#guarded(response, call), {
        maxEventBytes: maxAnswerBytes,
      })) {
        this.#take(event, data);
        if (id !== '') this.#cursor = id;
        void this.#acknowledge();
        worked = true;
        this.#enter('push', 'the registry pushes changes');
        if (this.#known?.doubted) {
          this.#cursor = undefined;
          call.cancel();
          return 'ended';
        }
      }
    } catch (error) {
      this.#failure = error;
      if (error instanceof FlotillaError && error.code === 'BAD_RESPONSE') this.#cursor = undefined;
    } finally {
      this.#pushed = undefined;
    }
    // One that breaks right after its first news is tried again too, but ever more slowly.
    const lived = this.#heard && clock.now() - startedAt >= workedAfterMs;
    if (lived) this.#backoff.reset();
    return worked || lived ? 'ended' : 'failed';
  }

  /** @returns whether the registry answered. */
  async #poll(): Promise<boolean> {
    try {
      const { status, body } = await this.#parts.servers.send(
        this.#request('instances', 'application/json'),
        this.#call,
      );
      if (status !== 200) {
        this.#noteRefusal(status, '');
        return false;
      }
      this.#replace(body);
      this.#enter('polling', 'push does not work; it is tried again before each fetch');
      this.#backoff.reset();
      return true;
    } catch (error) {
      this.#failure = error;
      return false; // that the registry cannot be reached is said by whoever tried
    }
  }

  #request(path: 'watch' | 'instances', accept: string): RegistryRequest {
    const { target } = this.#parts;
    if (path === 'instances') return { method: 'GET', segments: [path], query: { ...target }, accept };
    const query = { ...target, cursor: this.#cursor, form: 'compact', as: 'caller', watch: this.#watch };
    return { method: 'GET', segments: [path], query, accept };
  }

  async #refuseUnlessEvents(response: HttpResponse, call: Call): Promise<void> {
    const type = response.headers.get('content-type') ?? '';
    if (response.status === 200 && /^text\/event-stream\b/i.test(type)) return;
    const error = errorFromResponse(
      response,
      await readBody(response.body, 65_536, call).catch(() => new Uint8Array()),
    );
    call.cancel();
    this.#noteRefusal(response.status, error.detail);
    throw error;
  }

  /** The bytes of a push; ended when none comes for too long. The first one comes with the head: the registry sends it at once. */
  async *#guarded({ body }: HttpResponse, call: Call): AsyncGenerator<Uint8Array, void> {
    const { clock, requestTimeoutMs, silenceMs } = this.#parts.options;
    const arm = (allowedMs: number): Timer =>
      clock.setTimer(allowedMs, () => call.cancel(silentFor(allowedMs)), { background: true });
    let timer = arm(requestTimeoutMs);
    try {
      if (body === undefined || body instanceof Uint8Array) return;
      for await (const chunk of body) {
        this.#heard = true;
        timer.cancel();
        timer = arm(silenceMs);
        yield chunk;
      }
    } finally {
      timer.cancel();
    }
  }

  #take(event: string, data: string): void {
    if (event === 'snapshot') this.#replace(data);
    if (event !== 'change' || !this.#known) return; // others are those of a newer registry
    let usable = true;
    const leftOut = (facts: LeftOut): void => {
      usable = false;
      this.#noteLeftOut(facts);
    };
    const read = readChange(data, leftOut);
    const change = read?.kind === 'patch' ? this.#whole(read, this.#known, leftOut) : read;
    if (!change) return;
    if (usable) this.#unusable.delete(keyOfChange(change));
    else this.#unusable.add(keyOfChange(change));
    this.#update(applyChange(this.#known, change));
    if (change.kind === 'put' && isLeaving(change.instance)) this.#owed = true;
  }

  /**
   * A patch as the change that it stands for.
   * @returns undefined for who was left out and stays so.
   * @throws FlotillaError BAD_RESPONSE when it is about somebody whom we do not know: a snapshot is needed
   */
  #whole(patch: SeenPatch, known: LiveSet, leftOut: (facts: LeftOut) => void): SeenChange | undefined {
    const { key, set } = patch;
    const before = known.instances.get(key);
    if (before) {
      const after = patched(before, patch, leftOut);
      const service = formatIdentity(before.identity);
      return after ? { kind: 'put', instance: after } : { kind: 'gone', service, id: before.id, reason: 'changed' };
    }
    if (this.#unusable.has(key) && Object.keys(set).every((name) => harmless.has(name))) return undefined;
    throw new FlotillaError('BAD_RESPONSE', 'the registry told what changed of an instance that it never named');
  }

  #replace(text: string | Uint8Array): void {
    const snapshot = readSnapshot(text, (facts) => this.#noteLeftOut(facts));
    this.#unusable = new Set(snapshot.unusable);
    this.#update(applySnapshot(this.#known, snapshot));
    if (snapshot.instances.some(isLeaving)) this.#owed = true;
  }

  /**
   * Tells the registry up to where we know it, where somebody may wait for that: callers do not pick who leaves any more.
   * One word at a time, each for all before. Never rejects: one that is not heard costs whoever leaves some time.
   */
  async #acknowledge(): Promise<void> {
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    while (this.#owed && !this.#closed) {
      this.#owed = false;
      const revision = this.#cursor === undefined ? undefined : parseCursor(this.#cursor)?.revision;
      if (this.#watch === undefined || revision === undefined) break;
      const segments = ['watches', this.#watch, 'acknowledgement'];
      const query = { revision: String(revision) };
      await this.#parts.servers.send({ method: 'POST', segments, query }, this.#call).catch(() => {});
    }
    this.#acknowledging = false;
  }

  #update(next: LiveSet): void {
    const changed = differs(this.#known, next);
    this.#known = next;
    if (!changed || this.#closed) return;
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

  #enter(mode: 'push' | 'polling', reason: string): void {
    if (this.#mode === mode) return;
    this.#mode = mode;
    this.#refusal = '';
    this.#parts.log.mode({ target: this.#name, mode, reason });
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

  #jittered(periodMs: number): number {
    return jittered(periodMs, this.#parts.options.random);
  }

  #sleep(delayMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#parts.options.clock.setTimer(delayMs, resolve, { background: true });
      this.#wait = { timer, done: resolve };
    });
  }
}

/** What may change of an instance that cannot be used without making it usable. */
const harmless: ReadonlySet<string> = new Set(['status', 'override', 'incarnation', 'revision', 'weight']);

/** Whether callers were told to stop picking it: who takes it out waits until they have. */
function isLeaving(instance: Instance): boolean {
  const status = effectiveStatus(instance);
  return status === 'draining' || status === 'out-of-service';
}

function keyOfChange(change: SeenChange): string {
  if (change.kind === 'gone') return keyOf(change.service, change.id);
  return keyOf(formatIdentity(change.instance.identity), change.instance.id);
}

function silentFor(allowedMs: number): FlotillaError {
  return new FlotillaError('CONNECTION_LOST', `the registry was silent for ${allowedMs} ms`);
}
