import { isDeepStrictEqual } from 'node:util';
import {
  backoffAfterMs,
  Call,
  FlotillaError,
  formatTarget,
  type InstanceSet,
  jittered,
  type Target,
  type Timer,
} from '@flotilla/core';
import { applyAll, applyDelta, forgetKept, hashOf, type Listing, setFor } from './listing.ts';
import type { EurekaClientLog } from './log.ts';
import type { ResolvedEurekaOptions } from './options.ts';
import { leastBackoffMs } from './pace.ts';
import { type LeftOut, type ReadApplications, readApplications } from './read-applications.ts';
import type { EurekaRequest, EurekaServers } from './servers.ts';

/** What a {@link Feed} needs. */
export interface FeedParts {
  readonly servers: EurekaServers;
  readonly options: ResolvedEurekaOptions;
  readonly log: EurekaClientLog;
}

interface Listener {
  readonly target: Target;
  readonly update: (set: InstanceSet) => void;
  /** What it was told last. */
  told?: InstanceSet;
}

/** From the first watch to the last. */
interface Turn {
  readonly call: Call;
  wait?: Timer;
  wake?: () => void;
}

const everything: EurekaRequest = Object.freeze({ method: 'GET', segments: ['apps', ''], answers: new Set<number>() });
/** 403: the server has deltas switched off; 404: it has none. */
const noDelta: ReadonlySet<number> = new Set([403, 404]);
const whatChanged: EurekaRequest = Object.freeze({ method: 'GET', segments: ['apps', 'delta'], answers: noDelta });

/**
 * The list of a Eureka registry, fetched once for everybody in this process who watches any of it, for as long as somebody
 * does. What was known last stays true until there is something newer, however long the servers are gone.
 *
 * | state | does | exits |
 * |---|---|---|
 * | idle | nothing | somebody watches → fetching |
 * | fetching | all at first, then what changed; all again when the hash codes differ or when there is no delta | waiting |
 * | waiting | for the next turn: `pollEveryMs` ± 20 %, sooner while nothing is known at all | fetching; nobody watches any more → idle |
 */
export class Feed {
  readonly #parts: FeedParts;
  readonly #listeners = new Set<Listener>();
  #known: Listing | undefined;
  /** False: the last delta was refused, or the list was not what the server said; the next fetch is of everything. */
  #current = false;
  #turn: Turn | undefined;
  #leftOut = '';
  #mismatch = '';
  #unreadable = false;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** @returns takes the listener back. */
  listen(target: Target, update: (set: InstanceSet) => void): () => void {
    const listener: Listener = { target, update };
    this.#listeners.add(listener);
    queueMicrotask(() => {
      if (this.#known && this.#listeners.has(listener)) this.#tell(listener, this.#known);
    });
    if (!this.#turn) this.#begin();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#end();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#end();
  }

  #begin(): void {
    const { clock, random } = this.#parts.options;
    const turn: Turn = { call: new Call({ clock, random }) };
    this.#turn = turn;
    this.#current = false; // whatever changed while nobody watched is not in a delta any more
    void this.#follow(turn);
  }

  #end(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.wait?.cancel();
    turn?.wake?.();
    turn?.call.cancel(new FlotillaError('CANCELLED', 'nobody watches anything any more'));
    turn?.call.end();
  }

  async #follow(turn: Turn): Promise<void> {
    const { pollEveryMs, random } = this.#parts.options;
    const backoff = { leastMs: leastBackoffMs, mostMs: pollEveryMs };
    for (let failures = 0; this.#turn === turn; ) {
      const fetched = await this.#fetch(turn.call);
      if (this.#turn !== turn) return;
      failures = fetched ? 0 : failures + 1;
      const soon = !fetched && this.#known === undefined;
      await this.#sleep(turn, soon ? backoffAfterMs(failures, backoff, random) : jittered(pollEveryMs, random));
    }
  }

  /** @returns whether a server answered with something that could be read. */
  async #fetch(call: Call): Promise<boolean> {
    try {
      if (this.#current && this.#known && this.#parts.options.delta) {
        if (await this.#fetchDelta(this.#known, call)) return true;
      }
      if (call.cancelled) return false;
      await this.#fetchAll(call);
      return true;
    } catch {
      this.#forget(); // that no server can be reached is said by whoever tried
      return false;
    }
  }

  /** @returns false when everything has to be fetched. */
  async #fetchDelta(known: Listing, call: Call): Promise<boolean> {
    const { status, body, server } = await this.#parts.servers.send(whatChanged, call);
    if (noDelta.has(status)) return false;
    const read = this.#read(body, server);
    if (!read) return false;
    const next = applyDelta(known, read);
    const ours = hashOf(next);
    if (read.hashCode !== undefined && read.hashCode !== ours) {
      this.#current = false;
      this.#noteMismatch({ server, theirs: read.hashCode, ours });
      return false;
    }
    this.#mismatch = '';
    this.#adopt(next);
    return true;
  }

  async #fetchAll(call: Call): Promise<void> {
    const { log, options } = this.#parts;
    const { body, server } = await this.#parts.servers.send(everything, call);
    const read = this.#read(body, server);
    if (!read) throw new FlotillaError('BAD_RESPONSE', `${server} gave no list`);
    const before = this.#known;
    const next = applyAll(before, read, options.clock.now());
    log.fetched({ server, instances: next.listed.size, hashCode: hashOf(next) });
    if (next.kept.size > 0 && before?.kept.size === 0) {
      const keptForMs = next.keptUntil - options.clock.now();
      log.shrunk({ server, known: before.listed.size, listed: next.listed.size, keptForMs });
    }
    this.#current = true;
    this.#adopt(next);
  }

  #read(body: Uint8Array, server: string): ReadApplications | undefined {
    const { options, log } = this.#parts;
    try {
      const read = readApplications(body, Math.floor(options.clock.wallNow()), (facts) => this.#noteLeftOut(facts));
      this.#unreadable = false;
      return read;
    } catch (cause) {
      if (!this.#unreadable) log.unreadable({ server, cause });
      this.#unreadable = true;
      return undefined;
    }
  }

  #forget(): void {
    if (this.#known) this.#adopt(forgetKept(this.#known, this.#parts.options.clock.now()));
  }

  #adopt(next: Listing): void {
    this.#known = forgetKept(next, this.#parts.options.clock.now());
    for (const listener of [...this.#listeners]) this.#tell(listener, this.#known);
  }

  #tell(listener: Listener, known: Listing): void {
    const set = setFor(known, listener.target);
    if (listener.told && isDeepStrictEqual(listener.told, set)) return;
    listener.told = set;
    try {
      listener.update(set);
    } catch (cause) {
      this.#parts.log.listenerFailed({ target: formatTarget(listener.target), cause });
    }
  }

  /** The same again, as with each fetch, is not said again. */
  #noteLeftOut({ count, examples }: LeftOut): void {
    const words = `${count} ${examples.join()}`;
    if (words === this.#leftOut) return;
    this.#leftOut = words;
    this.#parts.log.leftOut({ count, examples });
  }

  #noteMismatch(facts: { readonly server: string; readonly theirs: string; readonly ours: string }): void {
    const words = `${facts.theirs} ${facts.ours}`;
    if (words !== this.#mismatch) this.#parts.log.mismatch(facts);
    this.#mismatch = words;
  }

  #sleep(turn: Turn, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      turn.wake = resolve;
      turn.wait = this.#parts.options.clock.setTimer(delayMs, resolve, { background: true });
    });
  }
}
