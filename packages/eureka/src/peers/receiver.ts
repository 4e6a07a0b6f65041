import { type Clock, FlotillaError, formatIdentity, type Instance, parseIdentity } from '@flotilla/core';
import type { InstanceKey, Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import { keyOf } from '../server/lease-at.ts';
import { listed } from '../server/listing.ts';
import { decodeStatus, encodeStatus } from '../status.ts';
import { type ItemResult, type PeerNote, type ReceivedItem, statusNamed } from './items.ts';
import { compareOperatorsWords, compareOwnersWords, fingerprintOf, ownersWordOf, type Stamps } from './versions.ts';

/** Nothing of it is passed on again: whoever heard it from the owner tells everybody. */
const passedOn = Object.freeze({ replicated: true });

/** How long it is remembered that a peer was asked to tell all of an instance, and of how many. */
const askedForMs = 60_000;
const askedForAtMost = 10_000;

const ok: ItemResult = Object.freeze({ statusCode: 200 });
const unknownHere: ItemResult = Object.freeze({ statusCode: 404 });
const failed: ItemResult = Object.freeze({ statusCode: 500 });

/**
 * Does in a registry what another one tells of, with the conflict rules of a Java server (`InstanceResource`,
 * `PeerReplicationResource`, `PeerAwareInstanceRegistryImpl`), and with the finer ones of `versions.ts` where the other one
 * is ours and sends a {@link PeerNote}.
 *
 * | task | result |
 * |---|---|
 * | Heartbeat | 404: nobody of that name, or of an older incarnation: tell me all of it; 409 with the instance: here is a newer one |
 * | Register | 200, also when it is not listed because it is gone or older; 400 for what is out of our bounds; 500 without instance |
 * | Cancel, StatusUpdate, DeleteStatusOverride | 200; 404 for nobody; 500 for no status |
 */
export class Receiver {
  readonly #registry: Registry;
  readonly #stamps: Stamps;
  readonly #clock: Clock;
  /**
   * Whom a Java server was asked to tell of (404 to a heartbeat), by name: it does so later, and knows no order between
   * that and a Cancel that it has sent by then. `left`: it did, so that registration brings back nobody.
   */
  readonly #askedFor = new Map<string, { readonly incarnation: number; readonly until: number; left: boolean }>();

  constructor(registry: Registry, stamps: Stamps, clock: Clock) {
    this.#registry = registry;
    this.#stamps = stamps;
    this.#clock = clock;
  }

  /** What cannot be done fails alone, as on a Java server. */
  apply(item: ReceivedItem): ItemResult {
    try {
      return this.#apply(item);
    } catch (error) {
      if (error instanceof FlotillaError) return failed;
      throw error;
    }
  }

  #apply(item: ReceivedItem): ItemResult {
    const { action, appName, id } = item;
    if (!action || appName === undefined || id === undefined) return failed;
    if (action === 'Register') return this.#register(item);
    if (action === 'Heartbeat') return this.#renew(item);
    if (action === 'Cancel') return this.#cancel(item);
    return this.#override(item);
  }

  /**
   * Takes over what a peer lists.
   * @param heardAgoMs how old its lease is there; 0: a whole lease from now on.
   */
  adopt(instance: Instance, note: Partial<PeerNote> = {}): ItemResult {
    const key = { service: formatIdentity(instance.identity), id: instance.id };
    const { heardAgoMs = 0 } = note;
    if (instance.lease && heardAgoMs >= instance.lease.lastsMs) return ok; // it has lapsed there
    const before = this.#registry.get(key);
    const result = note.saidAt === undefined ? this.#believe(key, instance) : this.#compare(key, instance, note);
    const after = this.#registry.get(key);
    if (after && changed(before, after)) this.#stamps.noteSaid(key, note.saidAt ?? this.#wallNow());
    return result;
  }

  /** From a Java server: of two of one incarnation the one that comes later counts. */
  #believe(key: InstanceKey, instance: Instance): ItemResult {
    const hadOverride = this.#registry.get(key)?.instance.override;
    const registered = this.#registry.register(instance, { replicated: true, acceptOverride: true });
    if (registered.outcome === 'stale') return goneWith(registered.incarnation);
    if (registered.lease.instance.override !== hadOverride) this.#stamps.noteOverridden(key, this.#wallNow());
    return ok;
  }

  #compare(key: InstanceKey, instance: Instance, note: Partial<PeerNote>): ItemResult {
    const { saidAt = 0, overriddenAt = 0, heardAgoMs = 0, declaredIncarnation = 0 } = note;
    const { override, ...owned } = instance;
    const mine = this.#registry.get(key);
    if (mine && !this.#isNews(mine, key, owned, saidAt)) {
      if (heardAgoMs === 0) this.#registry.renew(key, undefined, passedOn);
    } else {
      const registered = this.#registry.register(owned, {
        replicated: true,
        heardAgoMs,
        ...(declaredIncarnation > 0 && declaredIncarnation < owned.incarnation ? { declaredIncarnation } : undefined),
      });
      if (registered.outcome === 'stale') return goneWith(registered.incarnation);
    }
    this.#takeOverride(key, override, overriddenAt);
    return ok;
  }

  #isNews(mine: Lease, key: InstanceKey, instance: Instance, saidAt: number): boolean {
    // What was taken for now, because it lay in the future, is the same incarnation still.
    const { declaredIncarnation: declared } = mine;
    const same = instance.incarnation === declared && declared > mine.instance.incarnation;
    const incarnation = same ? mine.instance.incarnation : instance.incarnation;
    const theirs = { incarnation, saidAt, content: fingerprintOf(instance).content };
    return compareOwnersWords(theirs, ownersWordOf(mine, this.#stamps.saidAt(key))) > 0;
  }

  /** An operator's word with its time, if it is newer than the one that is known. */
  #takeOverride(key: InstanceKey, override: Instance['override'], overriddenAt: number): void {
    const mine = { override: this.#registry.get(key)?.instance.override, overriddenAt: this.#stamps.overriddenAt(key) };
    if (compareOperatorsWords({ override, overriddenAt }, mine) <= 0) return;
    this.#registry.setOverride(key, override, passedOn);
    this.#stamps.noteOverridden(key, overriddenAt);
  }

  #register({ instance, note }: ReceivedItem): ItemResult {
    if (instance === undefined) return failed;
    if (!(instance instanceof FlotillaError)) {
      const asked = note ? undefined : this.#asked(instance.identity.service, instance.id);
      if (asked?.left && instance.incarnation <= asked.incarnation) return ok;
      return this.adopt(instance, note);
    }
    // A Java server answers 200 to what it does not store; what only we refuse is said.
    return /^(?:Missing|Mismatched) /.test(instance.detail) ? ok : { statusCode: 400 };
  }

  #renew(item: ReceivedItem): ItemResult {
    const lease = this.#leaseOf(item);
    if (!lease) return this.#askFor(item);
    const key = keyOf(lease);
    const { lastDirtyTimestamp: dirty } = item;
    const { declaredIncarnation, instance } = lease;
    const same = dirty === undefined || dirty === declaredIncarnation || dirty === instance.incarnation;
    if (!same && dirty > declaredIncarnation) {
      const override = statusNamed(item.overriddenStatus);
      if (override && override !== 'UNKNOWN' && !item.note) this.#setOverride(key, decodeStatus(override));
      return this.#askFor(item);
    }
    this.#registry.renew(key, undefined, passedOn);
    return same ? ok : { statusCode: 409, responseEntity: listed(lease) };
  }

  #askFor({ appName = '', id = '', lastDirtyTimestamp: incarnation, note }: ReceivedItem): ItemResult {
    if (note || incarnation === undefined) return unknownHere;
    const name = nameOf(appName, id);
    this.#askedFor.delete(name);
    this.#askedFor.set(name, { incarnation, until: this.#clock.now() + askedForMs, left: false });
    for (const [oldest, { until }] of this.#askedFor) {
      if (until > this.#clock.now() && this.#askedFor.size <= askedForAtMost) break;
      this.#askedFor.delete(oldest);
    }
    return unknownHere;
  }

  #asked(service: string, id: string) {
    const asked = this.#askedFor.get(nameOf(service, id));
    return asked && asked.until > this.#clock.now() ? asked : undefined;
  }

  #cancel(item: ReceivedItem): ItemResult {
    const asked = item.note ? undefined : this.#asked(item.appName ?? '', item.id ?? '');
    if (asked) asked.left = true;
    const lease = this.#leaseOf(item);
    const key = lease ? keyOf(lease) : this.#noted(item);
    if (!key) return unknownHere;
    const { outcome } = this.#registry.deregister(key, item.note?.incarnation, passedOn);
    if (!this.#registry.get(key)) this.#stamps.forget(key);
    return outcome === 'known' ? ok : unknownHere;
  }

  #override(item: ReceivedItem): ItemResult {
    const lease = this.#leaseOf(item);
    if (!lease) return unknownHere;
    const { action, note } = item;
    const key = keyOf(lease);
    const status = statusNamed(item.status);
    if (action === 'StatusUpdate' && !status) return failed;
    if (action === 'DeleteStatusOverride' && item.lastDirtyTimestamp === undefined) return failed;
    const override = action === 'StatusUpdate' && status ? decodeStatus(status) : undefined;
    if (note) this.#takeOverride(key, override, note.overriddenAt);
    else this.#setOverride(key, override);
    const owns = lease.instance.status;
    if (action === 'DeleteStatusOverride' && !note && status && status !== 'UNKNOWN' && status !== encodeStatus(owns)) {
      // A Java server puts that status in the override's place: it may know the owner's only by it.
      this.#registry.setStatus(key, decodeStatus(status), undefined, passedOn);
    }
    return ok;
  }

  #setOverride(key: InstanceKey, override: Instance['override']): void {
    this.#registry.setOverride(key, override, passedOn);
    this.#stamps.noteOverridden(key, this.#wallNow());
  }

  #leaseOf(item: ReceivedItem): Lease | undefined {
    const key = this.#noted(item);
    return key ? this.#registry.get(key) : this.#registry.find(item.appName ?? '', item.id ?? '');
  }

  #noted({ note, id }: ReceivedItem): InstanceKey | undefined {
    if (!note || id === undefined) return undefined;
    return { service: formatIdentity(parseIdentity(note.service)), id };
  }

  #wallNow(): number {
    return Math.floor(this.#clock.wallNow());
  }
}

function nameOf(service: string, id: string): string {
  return `${service.toUpperCase()}\n${id}`;
}

function goneWith(goneIncarnation: number): ItemResult {
  return { statusCode: 200, flotilla: { goneIncarnation } };
}

function changed(before: Lease | undefined, after: Lease): boolean {
  if (!before) return true;
  return (
    before.instance !== after.instance &&
    fingerprintOf(before.instance).content !== fingerprintOf(after.instance).content
  );
}
