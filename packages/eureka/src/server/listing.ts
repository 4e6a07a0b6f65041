import type { Instance } from '@flotilla/core';
import type { Lease } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import { appsHashCode } from '../applications.ts';
import type { EurekaAction, EurekaInstance } from '../document.ts';
import type { Format, FormatName, ListFacts } from '../formats.ts';
import { encodeInstance, listedStatus } from '../instance.ts';
import { SharedText } from './shared-text.ts';

/**
 * An instance as Eureka's readers see it, with what the registry knows of its lease. Our own revision stays here: it
 * would be a note in everybody's metadata.
 */
export function listed(lease: Lease, actionType: EurekaAction = actionOf(lease)): EurekaInstance {
  return documentOf(lease, actionType, lease.changedAt, 0);
}

/** What is not listed any more, as Java servers write it: with its last status, and when it went. */
export function ended(lease: Lease, endedAt: number): EurekaInstance {
  return documentOf(lease, 'DELETED', endedAt, endedAt);
}

/**
 * The leases that Eureka's readers see: an application's instances are told apart by id alone, so of two services that
 * share a name (in other namespaces, groups or versions) the first one's instance stands for an id that both have.
 */
export function* visible(registry: Registry): Generator<Lease, undefined> {
  for (const lease of registry.list()) {
    const { identity, id } = lease.instance;
    const alone = registry.find(identity.service, id) === lease;
    if (alone) yield lease;
  }
}

/** One document of a list, as text. */
export interface ListedText {
  readonly app: string;
  readonly text: string;
}

/** What a text was written for. */
interface Written extends ListedText {
  readonly registeredAt: number;
  readonly changedAt: number;
}

/** By form, and by action: the whole list and the delta may call one instance ADDED and MODIFIED. */
const texts: Readonly<Record<FormatName, Readonly<Record<EurekaAction, WeakMap<Instance, Written>>>>> = {
  json: byAction(),
  jsonCompact: byAction(),
  xml: byAction(),
  xmlCompact: byAction(),
};

/**
 * {@link listed} as text, written once for each thing that an instance says of itself: of a large registry a change costs
 * one document, not all. A renewal is no change, so `lastRenewalTimestamp` may be older than it is.
 */
export function listedText(format: Format, lease: Lease, actionType: EurekaAction = actionOf(lease)): ListedText {
  const { instance, registeredAt, changedAt } = lease;
  const known = texts[format.name][actionType].get(instance);
  if (known?.registeredAt === registeredAt && known.changedAt === changedAt) return known;
  const text = format.instance(listed(lease, actionType));
  const written = { app: appOf(instance), text, registeredAt, changedAt };
  texts[format.name][actionType].set(instance, written);
  return written;
}

/** {@link ended} as text. */
export function endedText(format: Format, lease: Lease, endedAt: number): ListedText {
  return { app: appOf(lease.instance), text: format.instance(ended(lease, endedAt)) };
}

/** The text of `writeList` with these documents, in their order. */
export function applicationsText(format: Format, documents: Iterable<ListedText>, facts: ListFacts): string {
  const { separator, applicationTail } = format;
  const grouped = Map.groupBy(documents, ({ app }) => app);
  const applications = Array.from(
    grouped,
    ([app, members]) =>
      `${format.applicationHead(app)}${members.map(({ text }) => text).join(separator)}${applicationTail}`,
  );
  return `${format.listHead(facts)}${applications.join(separator)}${format.listTail(facts)}`;
}

/** Of everybody whom readers see. */
export function hashCodeOf(registry: Registry): string {
  return appsHashCode(visible(registry).map(({ instance }) => listedStatus(instance)));
}

/**
 * The whole registry in each form that is asked for, written once for everybody who asks between two changes. Renewals
 * are no change, as with a Java server's cache: `lastRenewalTimestamp` may be that old.
 */
export class FullListing {
  readonly #registry: Registry;
  readonly #made = new Map<FormatName, { readonly revision: number; readonly text: SharedText }>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  text(format: Format): SharedText {
    const { revision } = this.#registry.cursor;
    const known = this.#made.get(format.name);
    if (known?.revision === revision) return known.text;
    const documents = visible(this.#registry).map((lease) => listedText(format, lease));
    const facts = { version: 1, hashCode: hashCodeOf(this.#registry) };
    const text = new SharedText(applicationsText(format, documents, facts));
    this.#made.set(format.name, { revision, text });
    return text;
  }
}

function appOf({ identity }: Instance): string {
  return identity.service.toUpperCase();
}

function actionOf({ changedAt, registeredAt }: Lease): EurekaAction {
  return changedAt > registeredAt ? 'MODIFIED' : 'ADDED';
}

function documentOf(
  { instance, registeredAt, renewedAt, upAt }: Lease,
  actionType: EurekaAction,
  lastUpdatedTimestamp: number,
  evictionTimestamp: number,
): EurekaInstance {
  const startedAt = instance.startedAt ?? (upAt > 0 ? upAt : undefined);
  const shown = { ...instance, revision: 0, ...(startedAt === undefined ? undefined : { startedAt }) };
  return encodeInstance(shown, {
    lastUpdatedTimestamp,
    actionType,
    isCoordinatingDiscoveryServer: false,
    registrationTimestamp: registeredAt,
    lastRenewalTimestamp: renewedAt,
    evictionTimestamp,
  });
}

function byAction(): Readonly<Record<EurekaAction, WeakMap<Instance, Written>>> {
  return { ADDED: new WeakMap(), MODIFIED: new WeakMap(), DELETED: new WeakMap() };
}
