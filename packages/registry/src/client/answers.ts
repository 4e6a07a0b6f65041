import {
  type Address,
  FlotillaError,
  formatHostPort,
  formatIdentity,
  type Instance,
  identity,
  type LeaseTerms,
} from '@flotilla/core';
import { checkInstance } from '../check-instance.ts';
import { record } from '../field-checks.ts';
import type { SeenChange } from '../lease/change.ts';
import type { SnapshotAnswer } from './live-set.ts';

/** What a registry says of a registration. */
export interface RegisteredAnswer {
  /** The incarnation that is listed. */
  readonly incarnation: number;
  /** As the registry clamped it. */
  readonly lease?: LeaseTerms;
  /** From where the registry saw us come. */
  readonly seenAddress?: string;
  /** Why the registry does not list it as up yet: it could not connect. */
  readonly unreachable?: { readonly reason: string; readonly hint: string };
  /** Contracts whose text it asks for. */
  readonly wants: readonly string[];
}

/** A snapshot with the cursor to go on from. */
export interface ReadSnapshot extends SnapshotAnswer {
  readonly cursor: string;
  /** Who was left out, as {@link keyOf} names them. */
  readonly unusable: ReadonlySet<string>;
}

/** A change of an instance that is known, in the compact form. */
export interface SeenPatch {
  readonly kind: 'patch';
  /** As {@link keyOf} names it. */
  readonly key: string;
  readonly set: Readonly<Record<string, unknown>>;
  readonly unset: readonly string[];
}

/** How a client tells instances apart: text form of the identity, and id. */
export function keyOf(service: string, id: string): string {
  return `${service}\n${id}`;
}

/** JSON as bytes or text, or read already. */
export type Written = string | Uint8Array | object;

/** What a long poll brings: everything, or what changed since the last one. */
export interface ReadNews {
  readonly watch: string;
  readonly cursor: string;
  readonly snapshot?: object;
  readonly changes: readonly object[];
}

const utf8 = new TextDecoder();

/** What of a list could not be used. */
export interface LeftOut {
  /** Instances in all. */
  readonly count: number;
  /** The first of them: id, and what is wrong. */
  readonly examples: readonly string[];
}

/** A longer list is cut: no registry of ours holds more (`registryLimits.maxInstances`). */
export const mostInstances = 200_000;
const mostExamples = 5;

/**
 * Reads a snapshot. What cannot be used of it is left out, and the rest counts: one poisoned entry must not blind a fleet.
 * @param leftOut told once, if anything was.
 * @throws FlotillaError BAD_RESPONSE
 */
export function readSnapshot(json: Written, leftOut: (facts: LeftOut) => void): ReadSnapshot {
  const { cursor, warming, instances } = fieldsOf(json);
  if (typeof cursor !== 'string' || !Array.isArray(instances)) throw notOurs('a snapshot has a cursor and instances');
  const readable: Instance[] = [];
  const unusable = new Set<string>();
  const examples: string[] = [];
  for (const item of instances.slice(0, mostInstances)) {
    try {
      readable.push(usableInstance(item));
    } catch (cause) {
      if (examples.length < mostExamples) examples.push(`${nameOf(item)}: ${reasonOf(cause)}`);
      const gone = goneInstead(item);
      if (gone) unusable.add(keyOf(gone.service, gone.id));
    }
  }
  const beyond = Math.max(0, instances.length - mostInstances);
  if (beyond > 0) examples.push(`${beyond} instances beyond the limit of ${mostInstances}`);
  const count = instances.length - readable.length;
  if (count > 0) leftOut({ count, examples });
  return { cursor, warming: warming === true, instances: readable, unusable };
}

/**
 * Reads a change. A put of what cannot be used stands for the instance being gone: what it was before it is no more.
 * @returns undefined when it cannot even be told which instance it is about.
 * @throws FlotillaError BAD_RESPONSE
 */
export function readChange(json: Written, leftOut: (facts: LeftOut) => void): SeenChange | SeenPatch | undefined {
  const { kind, instance, service, id, reason, set, unset } = fieldsOf(json);
  if (kind === 'put') {
    try {
      return { kind, instance: usableInstance(instance) };
    } catch (cause) {
      leftOut({ count: 1, examples: [`${nameOf(instance)}: ${reasonOf(cause)}`] });
      return goneInstead(instance);
    }
  }
  if (kind === 'patch' && typeof service === 'string' && typeof id === 'string') {
    const members = Array.isArray(unset) ? unset.filter((name) => typeof name === 'string') : [];
    return { kind, key: keyOf(service, id), set: record(set, 'set'), unset: members };
  }
  if (kind !== 'gone' || typeof service !== 'string' || typeof id !== 'string') {
    throw notOurs('a change is a put with an instance, or a patch or gone with service and id');
  }
  return { kind, service, id, reason: reason === 'evicted' || reason === 'changed' ? reason : 'deregistered' };
}

/** Reads the answer to a long poll; what is in it is for {@link readSnapshot} and {@link readChange}. @throws FlotillaError BAD_RESPONSE */
export function readNews(body: Uint8Array): ReadNews {
  const { watch, cursor, snapshot, changes } = fieldsOf(body);
  const isNews = isObject(snapshot) || (Array.isArray(changes) && changes.every(isObject));
  if (typeof watch !== 'string' || typeof cursor !== 'string' || !isNews) {
    throw notOurs('a long poll is answered with watch, cursor and a snapshot or changes');
  }
  if (isObject(snapshot)) return { watch, cursor, snapshot, changes: [] };
  return { watch, cursor, changes: changes as readonly object[] };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * An instance after a patch, checked as a whole one is.
 * @returns undefined, with a word about it, when it cannot be used.
 */
export function patched(
  known: Instance,
  { set, unset }: SeenPatch,
  leftOut: (facts: LeftOut) => void,
): Instance | undefined {
  const kept = Object.entries(known).filter(([name]) => !unset.includes(name));
  const whole = { ...Object.fromEntries(kept), ...set, id: known.id, identity: known.identity };
  try {
    return usableInstance(whole);
  } catch (cause) {
    leftOut({ count: 1, examples: [`${nameOf(whole)}: ${reasonOf(cause)}`] });
    return undefined;
  }
}

/**
 * Checked against the bounds of a registration, and without addresses that nobody can call.
 * @throws FlotillaError INVALID_INPUT saying what is wrong
 */
export function usableInstance(json: unknown): Instance {
  const instance = checkInstance(json);
  const addresses = instance.addresses.filter(canBeCalled);
  if (addresses.length === instance.addresses.length) return instance;
  if (addresses.length > 0) return { ...instance, addresses };
  const given = instance.addresses.map(({ host, port }) => formatHostPort({ host, port })).join(', ');
  throw new FlotillaError('INVALID_INPUT', `nobody can call ${given.slice(0, 200)}`);
}

/** Port 0, the unspecified addresses (they would be this machine), multicast and broadcast belong to no instance. */
function canBeCalled({ host, port }: Address): boolean {
  return port > 0 && !/^(?:0\.|2(?:2[4-9]|3\d)\.|255\.255\.255\.255$|::$|ff[0-9a-f]{2}:)/i.test(host);
}

function goneInstead(json: unknown): (SeenChange & { readonly kind: 'gone' }) | undefined {
  try {
    const fields = record(json, 'instance');
    const { service, ...parts } = record(fields['identity'], 'identity');
    const { id } = fields;
    if (typeof service !== 'string' || typeof id !== 'string') return undefined;
    return { kind: 'gone', service: formatIdentity(identity(service, parts)), id, reason: 'changed' };
  } catch {
    return undefined;
  }
}

/** `"a" of "orders"`, as far as it can be told. */
function nameOf(json: unknown): string {
  const { id, identity: of } = (json ?? {}) as { id?: unknown; identity?: { service?: unknown } | null };
  return `${shown(id)} of ${shown(of?.service)}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : 'something nameless';
}

function reasonOf(cause: unknown): string {
  return cause instanceof FlotillaError ? cause.detail : String(cause);
}

/** @throws FlotillaError BAD_RESPONSE */
export function readRegistered(body: Uint8Array): RegisteredAnswer {
  const { unreachable, incarnation, lease, seenAddress, wants } = fieldsOf(body);
  if (typeof incarnation !== 'number') throw notOurs('a registration is answered with its incarnation');
  const terms = readTerms(lease);
  return {
    incarnation,
    ...(terms ? { lease: terms } : undefined),
    ...(typeof seenAddress === 'string' ? { seenAddress } : undefined),
    ...readUnreachable(unreachable),
    wants: readWants({ wants }),
  };
}

/** The contracts that a registry asks for; whatever else is there, none. */
export function readWants(answer: unknown): readonly string[] {
  const { wants } = (answer ?? {}) as { wants?: unknown };
  return Array.isArray(wants) ? wants.filter((hash) => typeof hash === 'string').slice(0, mostWanted) : [];
}

/** {@link readWants} of the answer to a renewal, which mostly has no body. */
export function readRenewed(body: Uint8Array): readonly string[] {
  return body.length === 0 ? [] : readWants(fieldsOf(body));
}

/** An instance has no more contracts on either side. */
const mostWanted = 512;

/** Whether all callers know of an instance's last change, and who cannot say so. @throws FlotillaError BAD_RESPONSE */
export function readNotice(body: Uint8Array): { readonly noticed: boolean; readonly silent: readonly string[] } {
  const { noticed, silent } = fieldsOf(body);
  if (typeof noticed !== 'boolean') throw notOurs('a notice says whether it was noticed');
  const kinds = Array.isArray(silent) ? silent.filter((kind) => typeof kind === 'string').slice(0, mostExamples) : [];
  return { noticed, silent: kinds };
}

/** The incarnation to exceed, out of a problem with status 409. */
export function readLastIncarnation(data: unknown): number | undefined {
  const { incarnation } = (data ?? {}) as { incarnation?: unknown };
  return typeof incarnation === 'number' && Number.isSafeInteger(incarnation) ? incarnation : undefined;
}

function readUnreachable(value: unknown): Pick<RegisteredAnswer, 'unreachable'> {
  const { reason, hint } = (value ?? {}) as { reason?: unknown; hint?: unknown };
  if (typeof reason !== 'string' || typeof hint !== 'string') return {};
  return { unreachable: { reason: reason.slice(0, 1_000), hint: hint.slice(0, 1_000) } };
}

function readTerms(value: unknown): LeaseTerms | undefined {
  const { renewEveryMs, lastsMs } = (value ?? {}) as Partial<Record<keyof LeaseTerms, unknown>>;
  if (typeof renewEveryMs !== 'number' || typeof lastsMs !== 'number' || !(renewEveryMs > 0)) return undefined;
  return { renewEveryMs, lastsMs };
}

/** Not `parseJson`: a list of a large fleet has more members than a request from a stranger may have. */
function fieldsOf(written: Written): Readonly<Record<string, unknown>> {
  const json = typeof written === 'string' || written instanceof Uint8Array ? parsed(written) : written;
  if (!isObject(json)) throw notOurs('it is not an object');
  return json as Record<string, unknown>;
}

function parsed(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : utf8.decode(text));
  } catch (cause) {
    throw notOurs('it is not JSON', cause);
  }
}

function notOurs(detail: string, cause?: unknown): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `the answer is not that of a registry: ${detail}`, { cause });
}
