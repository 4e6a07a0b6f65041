import { type Call, type Clock, FlotillaError, type Instance, type Random, type Target } from '@flotilla/core';
import { parseCursor, warmEpoch } from '../cursor.ts';
import { matches } from '../lease/change.ts';

/**
 * What a reader of the registry does with what it reads.
 *
 * - `caller`: it calls the instances, and acknowledges what it has taken in.
 * - `observer`: it calls nobody, as a tool for people; nobody waits for it.
 * - `silent`: it may call, and does not acknowledge.
 */
export type ReaderPart = 'caller' | 'observer' | 'silent';

/** One watch, over all connections that it is made of. */
export interface Reader {
  /** Known to its reader alone: whoever has it speaks for the watch. */
  readonly id: string;
  readonly who: string;
  readonly target: Target | undefined;
  readonly part: ReaderPart;
}

/** Whether everybody knows of an instance's last change. */
export interface Notice {
  /** Every caller that watches has taken it in, and there are no others. */
  readonly noticed: boolean;
  /** Watches that have not. */
  readonly waiting: number;
  /** Who reads and cannot acknowledge: `Eureka`, `lists`, a peer. */
  readonly silent: readonly string[];
}

/** What an {@link Audience} is made with. */
export interface AudienceParts {
  readonly epoch: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Watches that are connected are bounded elsewhere; this is for those that are away. */
  readonly maxAway: number;
  /** Whether what the registry hears is passed on to others, whose watches are not seen from here. */
  readonly isShared: () => boolean;
}

/** A watch that broke off may belong to a caller that is about to come back: it is waited for as if it were there. */
export const awayMs = 30_000;
/** Who fetches lists does so every 30 s by custom: after three times without it is gone. */
export const silentMs = 90_000;
/** Kinds of readers that cannot acknowledge: a handful, named by our own code. */
const mostSilentKinds = 64;
/** Instances that leave at a time; whoever comes beyond waits by its own clock. */
const mostWaits = 2_000;

/** Who reads somewhere else, and cannot be asked from here. */
export const elsewhere = 'watches at other nodes';

interface Member extends Reader {
  /** Up to where it has acknowledged. */
  revision: number;
  present: boolean;
  goneAt: number;
}

interface Wait {
  readonly revision: number;
  readonly pending: Set<Member>;
  readonly done: () => void;
}

/**
 * Everybody who reads a registry, and up to where each has taken in what it was told: so that an instance that leaves
 * learns when its callers know.
 *
 * A watch of a caller: connected → (breaks off) away, for {@link awayMs} → (comes back with its id) connected. It is
 * forgotten when it says that it ends, or when its time away is over.
 */
export class Audience {
  readonly #parts: AudienceParts;
  readonly #members = new Map<string, Member>();
  /** In the order in which they went. */
  readonly #away = new Set<Member>();
  readonly #waits = new Set<Wait>();
  readonly #silent = new Map<string, number>();
  /** Callers of an earlier start of this registry may not be back yet. */
  readonly #completeFrom: number;

  constructor(parts: AudienceParts) {
    this.#parts = parts;
    this.#completeFrom = parts.clock.now() + awayMs;
  }

  /** Watches that are connected or may come back. */
  get size(): number {
    return this.#members.size;
  }

  /**
   * A watch connects. What its cursor says it knows, it has acknowledged.
   * @param id of a watch that broke off; another one's, or an unknown one, begins a new watch.
   */
  enter(facts: Omit<Reader, 'id'>, cursor: string | undefined, id?: string): Reader {
    const known = id === undefined ? undefined : this.#members.get(id);
    const member = known && !known.present && isSame(known, facts) ? known : this.#newcomer(facts);
    member.present = true;
    this.#away.delete(member);
    const { epoch, revision } = (cursor === undefined ? undefined : parseCursor(cursor)) ?? {};
    const isOurs = epoch === this.#parts.epoch || epoch === warmEpoch(this.#parts.epoch);
    if (isOurs && revision !== undefined) this.#noted(member, revision);
    return member;
  }

  /** Its connection ended. */
  away({ id }: Reader): void {
    const member = this.#members.get(id);
    if (!member?.present) return;
    member.present = false;
    member.goneAt = this.#parts.clock.now();
    if (member.part === 'observer') this.#drop(member);
    else this.#away.add(member);
    this.#purge();
  }

  /** It has taken in everything up to `revision`. @returns false for a watch that is not there or somebody else's. */
  acknowledge(id: string, who: string, revision: number): boolean {
    const member = this.#members.get(id);
    if (member?.who !== who) return false;
    this.#noted(member, revision);
    return true;
  }

  /** It ends for good. @returns false for a watch that is not there or somebody else's. */
  leave(id: string, who: string): boolean {
    const member = this.#members.get(id);
    if (member?.who !== who) return false;
    this.#drop(member);
    return true;
  }

  /**
   * Somebody who cannot acknowledge has read lists: for a while nobody can say that all know.
   * @param kind one of a handful: `Eureka`.
   */
  readBy(kind: string): void {
    if (!this.#silent.has(kind) && this.#silent.size >= mostSilentKinds) return;
    this.#silent.set(kind, this.#parts.clock.now());
  }

  /**
   * Resolves when all who watch an instance have acknowledged its last change, when that cannot be known, or after
   * `limitMs`; never later than `call`.
   * @throws FlotillaError UNAVAILABLE when too many wait
   */
  async noticed(instance: Instance, limitMs: number, call?: Call): Promise<Notice> {
    const silent = this.#silentFor(instance);
    const pending = this.#behind(instance);
    if (silent.length > 0 || pending.size === 0) return noticeOf(pending.size, silent);
    if (this.#waits.size >= mostWaits) {
      throw new FlotillaError('UNAVAILABLE', `${mostWaits} instances that leave are waited for already`);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait: Wait = { revision: instance.revision, pending, done: resolve };
    const timer = this.#parts.clock.setTimer(limitMs, resolve, { background: true });
    const stopListening = call?.onCancel(() => resolve());
    this.#waits.add(wait);
    await promise;
    this.#waits.delete(wait);
    timer.cancel();
    stopListening?.();
    return noticeOf(pending.size, this.#silentFor(instance));
  }

  #newcomer(facts: Omit<Reader, 'id'>): Member {
    const member: Member = { ...facts, id: this.#newId(), revision: 0, present: true, goneAt: 0 };
    this.#members.set(member.id, member);
    return member;
  }

  #newId(): string {
    const part = (): string =>
      Math.floor(this.#parts.random() * 36 ** 10)
        .toString(36)
        .padStart(10, '0');
    return part() + part();
  }

  #noted(member: Member, revision: number): void {
    if (revision <= member.revision) return;
    member.revision = revision;
    for (const wait of this.#waits) if (revision >= wait.revision) settle(wait, member);
  }

  #drop(member: Member): void {
    this.#members.delete(member.id);
    this.#away.delete(member);
    for (const wait of this.#waits) settle(wait, member);
  }

  #purge(): void {
    const until = this.#parts.clock.now() - awayMs;
    for (const member of this.#away) {
      if (member.goneAt > until && this.#away.size <= this.#parts.maxAway) return;
      this.#drop(member);
    }
  }

  #behind(instance: Instance): Set<Member> {
    this.#purge();
    const { revision } = instance;
    return new Set(this.#of('caller', instance).filter((member) => member.revision < revision));
  }

  #of(part: ReaderPart, instance: Instance): Member[] {
    return [...this.#members.values()].filter((member) => member.part === part && matches(member.target, instance));
  }

  /** Why nobody can say that all know. */
  #silentFor(instance: Instance): string[] {
    const now = this.#parts.clock.now();
    for (const [kind, at] of this.#silent) if (now - at >= silentMs) this.#silent.delete(kind);
    return [
      ...this.#silent.keys(),
      ...(this.#of('silent', instance).length > 0 ? ['watches that do not acknowledge'] : []),
      ...(this.#parts.isShared() ? [elsewhere] : []),
      ...(now < this.#completeFrom ? ['watches before the registry started'] : []),
    ];
  }
}

function settle(wait: Wait, member: Member): void {
  if (wait.pending.delete(member) && wait.pending.size === 0) wait.done();
}

function noticeOf(waiting: number, silent: readonly string[]): Notice {
  return { noticed: waiting === 0 && silent.length === 0, waiting, silent };
}

function isSame(member: Member, { who, target, part }: Omit<Reader, 'id'>): boolean {
  return member.who === who && member.part === part && JSON.stringify(member.target) === JSON.stringify(target);
}
