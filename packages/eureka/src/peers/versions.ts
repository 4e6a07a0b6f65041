import { hash } from 'node:crypto';
import { formatIdentity, type Instance, type InstanceStatus, instanceStatuses } from '@flotilla/core';
import type { InstanceKey, Lease } from '@flotilla/registry';
import { encodeInstance } from '../instance.ts';

/**
 * What the owner of an instance said last, as far as it takes to say which of two registries heard it later: the higher
 * incarnation; within one incarnation what was said later; of two things said at one instant the one with the higher
 * hash, so that all registries decide alike.
 */
export interface OwnersWord {
  readonly incarnation: number;
  /** Wall time at the registry that heard it; 0: not known any more. */
  readonly saidAt: number;
  /** Of everything that the owner said. */
  readonly content: string;
}

/** What an operator said last: the later word counts, of two at one instant the one that takes out. */
export interface OperatorsWord {
  /** Wall time at the registry that heard it; 0: not known any more. */
  readonly overriddenAt: number;
  readonly override: InstanceStatus | undefined;
}

/** More than 0: `a` is newer; 0: they are the same. A total order. */
export function compareOwnersWords(a: OwnersWord, b: OwnersWord): number {
  if (a.incarnation !== b.incarnation) return a.incarnation - b.incarnation;
  if (a.content === b.content) return 0;
  if (a.saidAt !== b.saidAt) return a.saidAt - b.saidAt;
  return a.content < b.content ? -1 : 1;
}

/** More than 0: `a` is newer; 0: they are the same. A total order. */
export function compareOperatorsWords(a: OperatorsWord, b: OperatorsWord): number {
  if (a.override === b.override) return 0;
  if (a.overriddenAt !== b.overriddenAt) return a.overriddenAt - b.overriddenAt;
  return rankOf(a.override) - rankOf(b.override);
}

/** What two registries compare of an instance. */
export interface Fingerprint {
  /** One of {@link buckets}; the same on every registry. */
  readonly bucket: number;
  /** Of what the owner said, without times that each registry has of its own. */
  readonly content: string;
  /** Of key, incarnation, override and content. */
  readonly high: number;
  readonly low: number;
}

/** Groups that two registries compare before they look at single instances. */
export const buckets = 256;

/** An instance is replaced when anything of it changes, and read as often as there are peers. */
const known = new WeakMap<Instance, Fingerprint>();

/** The fingerprint of an instance; the same text wherever and however it came to be listed. */
export function fingerprintOf(instance: Instance): Fingerprint {
  const before = known.get(instance);
  if (before) return before;
  const key = `${formatIdentity(instance.identity)}\n${instance.id}`;
  const content = hash('sha256', contentOf(instance), 'base64url').slice(0, 16);
  const whole = hash('sha256', `${key}\n${instance.incarnation}\n${instance.override ?? ''}\n${content}`, 'hex');
  const fingerprint = {
    bucket: Number.parseInt(hash('sha256', key, 'hex').slice(0, 2), 16),
    content,
    high: Number.parseInt(whole.slice(0, 8), 16),
    low: Number.parseInt(whole.slice(8, 16), 16),
  };
  known.set(instance, fingerprint);
  return fingerprint;
}

/** When this registry, or the one that told it, heard what is not ordered by incarnations. */
export class Stamps {
  readonly #said = new Map<string, number>();
  readonly #overridden = new Map<string, number>();

  saidAt(key: InstanceKey): number {
    return this.#said.get(textOf(key)) ?? 0;
  }

  overriddenAt(key: InstanceKey): number {
    return this.#overridden.get(textOf(key)) ?? 0;
  }

  noteSaid(key: InstanceKey, saidAt: number): void {
    this.#said.set(textOf(key), saidAt);
  }

  noteOverridden(key: InstanceKey, overriddenAt: number): void {
    this.#overridden.set(textOf(key), overriddenAt);
  }

  forget(key: InstanceKey): void {
    this.#said.delete(textOf(key));
    this.#overridden.delete(textOf(key));
  }

  /** Forgets those of whom `listed` knows nothing: evictions are not told to anybody. */
  prune(listed: (key: InstanceKey) => boolean): void {
    for (const stamps of [this.#said, this.#overridden]) {
      for (const text of stamps.keys()) if (!listed(keyFrom(text))) stamps.delete(text);
    }
  }
}

export function ownersWordOf(lease: Lease, saidAt: number): OwnersWord {
  return { incarnation: lease.instance.incarnation, saidAt, content: fingerprintOf(lease.instance).content };
}

/** Java keeps no order of metadata, and each registry has times of its own. */
function contentOf(instance: Instance): string {
  const { override: _, startedAt: __, ...said } = instance;
  const document = encodeInstance(
    { ...said, incarnation: 0, revision: 0 },
    {
      lastUpdatedTimestamp: 0,
      actionType: 'ADDED',
      isCoordinatingDiscoveryServer: false,
      registrationTimestamp: 0,
      lastRenewalTimestamp: 0,
      evictionTimestamp: 0,
    },
  );
  return JSON.stringify({ ...document, metadata: Object.entries(document.metadata).sort(byName) });
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function rankOf(override: InstanceStatus | undefined): number {
  return override === undefined ? 0 : 1 + instanceStatuses.indexOf(override);
}

/** A service's text holds no line feed. */
function textOf({ service, id }: InstanceKey): string {
  return `${service}\n${id}`;
}

function keyFrom(text: string): InstanceKey {
  const end = text.indexOf('\n');
  return { service: text.slice(0, end), id: text.slice(end + 1) };
}
