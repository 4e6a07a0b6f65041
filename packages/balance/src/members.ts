import { type Address, addressFor, effectiveStatus, formatHostPort, type Instance, LatestMap } from '@flotilla/core';
import { Member, type MemberNeeds, memberKey } from './member.ts';
import { afterTime, type Health, newHealth } from './outlier.ts';

/** How the members of a cluster are made. */
export interface MembersOptions<Req, Res> extends MemberNeeds<Req, Res> {
  readonly protocols: readonly string[];
  readonly accepts?: ((instance: Instance) => boolean) | undefined;
  /** What became of the endpoint of an instance that left. */
  readonly onCloseFailed: (member: Member<Req, Res>, cause: unknown) => void;
}

/** Why members cannot be picked, in numbers. */
export interface Census {
  readonly known: number;
  readonly draining: number;
  /** `starting`, `down`, `out-of-service` or `unknown`. */
  readonly notUp: number;
  /** They speak no protocol that this caller does. */
  readonly unreachable: number;
  /** This caller has no use for them: they serve another contract, for example. */
  readonly unaccepted: number;
}

/** Health is remembered for this many instances that left in disgrace, so that coming back clears nobody. */
const maxRemembered = 1_000;

/**
 * The members of a cluster: follows the live set without resetting what is known of those who stay. Who leaves is closed
 * once the calls in hand have ended.
 */
export class Members<Req, Res> {
  readonly #options: MembersOptions<Req, Res>;
  readonly #members = new Map<string, Member<Req, Res>>();
  readonly #remembered = new LatestMap<string, Health>(maxRemembered);
  /** Who came last to each address, also when it has left again: whoever was there before has ended. */
  readonly #latest = new Map<string, { readonly key: string; readonly incarnation: number }>();
  readonly #leaving = new Set<Promise<void>>();
  #unreachable: readonly Instance[] = [];
  #unaccepted: readonly Instance[] = [];

  constructor(options: MembersOptions<Req, Res>) {
    this.#options = options;
  }

  /** Adopts the set. @param now for the health of new members. */
  update(instances: readonly Instance[], now: number): void {
    const gone = new Map(this.#members);
    const before = new Set(this.#members.keys());
    const addresses = new Set<string>();
    const unreachable: Instance[] = [];
    const unaccepted: Instance[] = [];
    const { accepts } = this.#options;
    for (const instance of instances) {
      if (accepts && !accepts(instance)) {
        unaccepted.push(instance);
        continue;
      }
      const address = addressFor(instance, this.#options.protocols);
      if (!address) {
        unreachable.push(instance);
        continue;
      }
      const key = memberKey(instance, address);
      const place = placeOf(address);
      addresses.add(place);
      const member = this.#members.get(key);
      if (member) member.instance = instance;
      else {
        this.#add(key, instance, address, now);
        this.#arrive(place, key, instance.incarnation, before);
      }
      gone.delete(key);
    }
    this.#unreachable = unreachable;
    this.#unaccepted = unaccepted;
    for (const member of gone.values()) this.#remove(member, now);
    for (const place of this.#latest.keys()) if (!addresses.has(place)) this.#latest.delete(place);
  }

  /** Those of the set that this caller has no use for. */
  get unaccepted(): readonly Instance[] {
    return this.#unaccepted;
  }

  /** Those of the set that speak no protocol of this caller's. */
  get unreachable(): readonly Instance[] {
    return this.#unreachable;
  }

  /**
   * Those that may receive calls, ejected or not, in the order in which they came. A process that died without a word is
   * listed until its lease lapses; if another one came to its address since, it is none of them unless nobody else is.
   */
  up(): Member<Req, Res>[] {
    const up = [...this.#members.values()].filter(({ instance }) => effectiveStatus(instance) === 'up');
    const present = up.filter(({ key, address }) => this.#latest.get(placeOf(address))?.key === key);
    return present.length > 0 ? present : up;
  }

  isUp(member: Member<Req, Res>): boolean {
    return this.#members.get(member.key) === member && effectiveStatus(member.instance) === 'up';
  }

  all(): Iterable<Member<Req, Res>> {
    return this.#members.values();
  }

  census(): Census {
    let [draining, notUp] = [0, 0];
    for (const { instance } of this.#members.values()) {
      const status = effectiveStatus(instance);
      if (status === 'draining') draining += 1;
      else if (status !== 'up') notUp += 1;
    }
    const [unreachable, unaccepted] = [this.#unreachable.length, this.#unaccepted.length];
    return { known: this.#members.size + unreachable + unaccepted, draining, notUp, unreachable, unaccepted };
  }

  /** Closes all of them; resolves when those that left before are closed as well. */
  async close(now: number): Promise<void> {
    for (const member of this.#members.values()) this.#remove(member, now);
    await Promise.all(this.#leaving);
  }

  #add(key: string, instance: Instance, address: Address, now: number): void {
    const health = this.#remembered.get(key) ?? newHealth(now);
    this.#remembered.delete(key);
    this.#members.set(key, new Member(instance, address, health, now, this.#options));
  }

  /** The later one counts; of two in one set, that is the higher incarnation. */
  #arrive(place: string, key: string, incarnation: number, before: ReadonlySet<string>): void {
    const latest = this.#latest.get(place);
    const together = latest && this.#members.has(latest.key) && !before.has(latest.key);
    if (!together || incarnation >= latest.incarnation) this.#latest.set(place, { key, incarnation });
  }

  #remove(member: Member<Req, Res>, now: number): void {
    this.#members.delete(member.key);
    const health = afterTime(member.health, now);
    if (health.timesEjected > 0) this.#remembered.set(member.key, health);
    const closing = member
      .close()
      .catch((cause: unknown) => this.#options.onCloseFailed(member, cause))
      .finally(() => this.#leaving.delete(closing));
    this.#leaving.add(closing);
  }
}

function placeOf(address: Address): string {
  return `${address.protocol}://${formatHostPort(address)}`;
}
