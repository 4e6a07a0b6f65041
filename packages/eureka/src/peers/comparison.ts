import { FlotillaError, formatIdentity, type Instance } from '@flotilla/core';
import { type InstanceKey, type Lease, type Moment, momentOf } from '@flotilla/registry';
import { appsHashCode } from '../applications.ts';
import { listedStatus } from '../instance.ts';
import { compareEntries, differingBuckets, digestOf, entriesOf, readEntry } from './digest.ts';
import { readBatch } from './items.ts';
import { readListing, readOne, renewedAt } from './listing-reader.ts';
import type { ResolvedPeersOptions } from './options.ts';
import type { PeerAnswer } from './peer-http.ts';
import type { Receiver } from './receiver.ts';
import type { Sender } from './sender.ts';
import type { Stamps } from './versions.ts';
import { Withheld } from './withheld.ts';

/** What a comparison found. */
export interface Compared {
  /** Instances of which the peer knew more. */
  readonly pulled: number;
  /** Instances of which we know more. */
  readonly pushed: number;
  /** All that the peer lists is listed here now, and it says that its list is complete; a Java server says no such thing. */
  readonly complete: boolean;
}

interface ComparisonNeeds {
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly stamps: Stamps;
  readonly options: ResolvedPeersOptions;
  /** Puts all that is known of an instance into the peer's queue. */
  readonly tell: (key: InstanceKey) => void;
  readonly cancel: (key: InstanceKey, incarnation: number) => void;
}

/** Buckets asked for at a time: of 200,000 instances that is an answer of 1 MB. */
const bucketsAtATime = 16;
export const keysAtATime = 250;
/** A list of a Java server is up to four minutes old (`ResponseCacheImpl`): what differs is asked for by itself, so many at most. */
const askedSinglyAtMost = 500;
/** Of so many comparisons with a Java server one reads its whole list although the hash codes agree. */
const wholeListEvery = 10;
const evictedWithinMs = 600_000;

/**
 * Compares all that is listed here with all that a peer lists, and makes up for what messages lost.
 *
 * With one of ours: fingerprints of buckets, then the entries of those that differ, then the instances of which it knows
 * more; it is told the others. With a Java server: hash codes, then its list, incarnations and overrides; what differs is
 * asked for again by itself, since its lists come from a cache.
 */
export class Comparison {
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #stamps: Stamps;
  readonly #options: ResolvedPeersOptions;
  readonly #tell: ComparisonNeeds['tell'];
  readonly #cancel: ComparisonNeeds['cancel'];
  readonly #withheld: Withheld;
  #runs = 0;

  constructor({ sender, receiver, stamps, options, tell, cancel }: ComparisonNeeds) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#stamps = stamps;
    this.#options = options;
    this.#tell = tell;
    this.#cancel = cancel;
    this.#withheld = new Withheld({
      registry: options.registry,
      clock: options.clock,
      renewedThere: async (key) => {
        const { status, json } = await this.#askFor(key);
        return status === 404 ? undefined : renewedAt(member(json, 'instance'));
      },
    });
  }

  /** @throws FlotillaError when the peer does not answer, or something that cannot be read. */
  async run(): Promise<Compared> {
    const whole = this.#runs++ % wholeListEvery === 0;
    const answer = await this.#sender.ask({ method: 'GET', segments: ['peerreplication', 'fingerprints'] });
    if (answer.status === 404 || answer.node === undefined) {
      this.#sender.notOurs();
      return this.#withJava(whole);
    }
    if (answer.node === this.#options.registry.epoch) {
      this.#sender.isOurselves();
      return { pulled: 0, pushed: 0, complete: false };
    }
    this.#sender.passesOn(); // ours tell each other, and compare besides
    const found = await this.#withOurs(member(answer.json, 'buckets'));
    return { ...found, complete: member(answer.json, 'complete') === true };
  }

  async #withOurs(theirs: unknown): Promise<Omit<Compared, 'complete'>> {
    const { registry } = this.#options;
    const differing = differingBuckets(await digestOf(registry, this.#options.clock), theirs);
    const pulls: InstanceKey[] = [];
    const pushes: InstanceKey[] = [];
    for (let from = 0; from < differing.length; from += bucketsAtATime) {
      const some = differing.slice(from, from + bucketsAtATime);
      const { json } = await this.#sender.ask({
        method: 'GET',
        segments: ['peerreplication', 'fingerprints'],
        query: `buckets=${some.join(',')}`,
      });
      const mine = await entriesOf(registry, this.#stamps, new Set(some), this.#options.clock);
      const { pull, push } = compareEntries(mine, listOf(json, 'entries').map(readEntry));
      pulls.push(...pull);
      pushes.push(...push);
    }
    for (const key of pushes) this.#tell(key);
    for (let from = 0; from < pulls.length; from += keysAtATime) {
      await this.#pull(pulls.slice(from, from + keysAtATime));
    }
    return { pulled: pulls.length, pushed: pushes.length };
  }

  async #pull(keys: readonly InstanceKey[]): Promise<void> {
    const { json } = await this.#sender.ask({
      method: 'POST',
      segments: ['peerreplication', 'instances'],
      json: { keys: keys.map(({ service, id }) => [service, id]) },
    });
    for (const item of readBatch(json, this.#now().wallAt, keys.length)) {
      const { flotilla } = this.#receiver.apply(item);
      if (flotilla && item.note && item.id !== undefined)
        this.#cancel({ service: item.note.service, id: item.id }, flotilla.goneIncarnation);
    }
  }

  async #withJava(whole: boolean): Promise<Compared> {
    const { registry } = this.#options;
    if (!whole && (await this.#hashCodesAgree())) {
      await this.#lookForWithheld([]);
      return { pulled: 0, pushed: 0, complete: false };
    }
    const { json } = await this.#sender.ask({ method: 'GET', segments: ['apps', ''], list: true });
    const { instances } = await readListing(json, this.#options.clock);
    const seen = new Set<string>();
    const doubtful: Instance[] = [];
    for (const instance of instances) {
      const lease = registry.find(instance.identity.service, instance.id);
      if (lease) seen.add(nameOf(lease));
      if (!lease || differs(lease, instance)) doubtful.push(instance);
    }
    let pushed = 0;
    for (const lease of registry.list()) {
      if (seen.has(nameOf(lease)) || !this.#isLively(lease)) continue;
      this.#tell(keyOf(lease));
      pushed++;
    }
    const asked = doubtful.slice(0, askedSinglyAtMost);
    for (const instance of asked) await this.#reconcile(instance);
    const absent = asked.map(({ identity: { service }, id }) => ({ service, id }));
    await this.#lookForWithheld(absent.filter(({ service, id }) => !registry.find(service, id)));
    return { pulled: asked.length, pushed, complete: false };
  }

  async #hashCodesAgree(): Promise<boolean> {
    const { json } = await this.#sender.ask({ method: 'GET', segments: ['apps', 'delta'], list: true });
    const applications = member(json, 'applications');
    const statuses = Array.from(this.#options.registry.list(), ({ instance }) => listedStatus(instance));
    return member(applications, 'apps__hashcode') === appsHashCode(statuses);
  }

  /** What a Java server says of one instance when it is asked for it alone is true at that moment. */
  async #reconcile({ identity, id }: Instance): Promise<void> {
    const { registry } = this.#options;
    const { status, json } = await this.#askFor({ service: identity.service, id });
    const theirs = status === 404 ? undefined : readOne(member(json, 'instance'), this.#now().wallAt);
    if (!theirs) return;
    const mine = registry.find(identity.service, id);
    if (!mine) {
      if (this.#wasEvicted(theirs)) return; // its owner would have to be heard first
      const { flotilla } = this.#receiver.adopt(theirs);
      if (flotilla) this.#cancel({ service: formatIdentity(theirs.identity), id }, flotilla.goneIncarnation);
      return;
    }
    if (!differs(mine, theirs)) return;
    const key = keyOf(mine);
    const { incarnation } = mine.instance;
    const same = theirs.incarnation === incarnation || theirs.incarnation === mine.declaredIncarnation;
    if (!same && theirs.incarnation > incarnation) this.#receiver.adopt(theirs);
    // No operator spoke here: one did there, and word of it was lost.
    else if (same && theirs.override !== mine.instance.override && this.#stamps.overriddenAt(key) === 0)
      registry.setOverride(key, theirs.override, { replicated: true });
    else this.#tell(key);
  }

  #askFor({ service, id }: InstanceKey): Promise<PeerAnswer> {
    return this.#sender.ask({ method: 'GET', segments: ['apps', service.toUpperCase(), id] });
  }

  /** An answer that nobody was renewed proves nothing: those who were read may all be gone. */
  async #lookForWithheld(absent: readonly InstanceKey[]): Promise<void> {
    const { heard, missed } = await this.#withheld.look(absent);
    if (missed) this.#sender.withholds(missed);
    else if (heard > 0) this.#sender.passesOn();
  }

  /** Heard within its own interval: a Java server gives it a whole new lease. */
  #isLively({ instance: { lease }, expiresAt }: Lease): boolean {
    if (!lease) return true;
    return expiresAt - lease.lastsMs + 1.5 * lease.renewEveryMs > this.#now().at;
  }

  #wasEvicted({ identity, id, incarnation }: Instance): boolean {
    const { changes } = this.#options.registry.recentChanges(evictedWithinMs);
    return changes.some(
      ({ reason, before, id: gone }) =>
        reason === 'evicted' &&
        gone === id &&
        before?.identity.service.toLowerCase() === identity.service.toLowerCase() &&
        before.incarnation >= incarnation,
    );
  }

  readonly #now = (): Moment => momentOf(this.#options.clock);
}

function differs({ instance, declaredIncarnation }: Lease, theirs: Instance): boolean {
  const same = theirs.incarnation === instance.incarnation || theirs.incarnation === declaredIncarnation;
  return !same || theirs.override !== instance.override || listedStatus(theirs) !== listedStatus(instance);
}

function keyOf({ instance: { identity, id } }: Lease): InstanceKey {
  return { service: formatIdentity(identity), id };
}

function nameOf(lease: Lease): string {
  const { service, id } = keyOf(lease);
  return `${service}\n${id}`;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function listOf(json: unknown, name: string): readonly unknown[] {
  const list = member(json, name);
  if (Array.isArray(list)) return list;
  throw new FlotillaError('BAD_RESPONSE', `the peer answered no list "${name}"`);
}
