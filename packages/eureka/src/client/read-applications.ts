import { type Address, FlotillaError, formatHostPort, type Instance } from '@flotilla/core';
import { bagName } from '../bag.ts';
import { type EurekaAction, type EurekaStatus, eurekaActions, eurekaStatuses } from '../document.ts';
import { decodeInstance } from '../instance.ts';

/** One instance of a server's list. */
export interface ListedInstance {
  /** Application and id. */
  readonly key: string;
  /** As the server counts it in its hash code. */
  readonly status: EurekaStatus;
  readonly action: EurekaAction | undefined;
  /** In lower case: what callers may call it by, besides its identity. */
  readonly names: ReadonlySet<string>;
  /** Absent: it cannot be used, and counts all the same. */
  readonly instance?: Instance;
}

/** `{"applications": …}`, read. */
export interface ReadApplications {
  /** Undefined: the server says none. */
  readonly hashCode: string | undefined;
  readonly version: number;
  readonly instances: readonly ListedInstance[];
}

/** What of a list could not be used. */
export interface LeftOut {
  readonly count: number;
  /** The first of them: id, and what is wrong. */
  readonly examples: readonly string[];
}

/** A longer list is refused whole: a hash code over a part of it would say nothing. */
const mostInstances = 500_000;
const mostExamples = 5;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads what a Eureka server answers: lists as lists or, of one, as the object alone, as servers of any age write them.
 * What cannot be used of it is left out, and the rest counts: one poisoned entry must not blind a fleet.
 * @param now epoch milliseconds: stands for timestamps that are absent.
 * @throws FlotillaError BAD_RESPONSE when it is no such document at all
 */
export function readApplications(
  body: Uint8Array,
  now: number,
  leftOut: (facts: LeftOut) => void = () => {},
): ReadApplications {
  const { applications } = fieldsOf(parsed(body), 'the answer');
  const root = fieldsOf(applications, '"applications"');
  const listed: ListedInstance[] = [];
  const examples: string[] = [];
  let unusable = 0;
  for (const application of listOf(root['application'])) {
    if (typeof application !== 'object' || application === null) continue;
    for (const document of listOf((application as Record<string, unknown>)['instance'])) {
      if (listed.length >= mostInstances) throw notEurekas(`it has more than ${mostInstances} instances`);
      const read = readListed(document, (application as Record<string, unknown>)['name'], now);
      if (read.reason !== undefined) {
        unusable++;
        if (examples.length < mostExamples) examples.push(`${read.listed?.key ?? 'nameless'}: ${read.reason}`);
      }
      if (read.listed) listed.push(read.listed);
    }
  }
  if (unusable > 0) leftOut({ count: unusable, examples });
  const hashCode = root['apps__hashcode'] ?? root['apps_hashcode'];
  const version = Number(root['versions__delta'] ?? root['versions_delta']);
  return {
    hashCode: typeof hashCode === 'string' ? hashCode : undefined,
    version: Number.isFinite(version) ? version : 0,
    instances: listed,
  };
}

function readListed(
  document: unknown,
  application: unknown,
  now: number,
): { readonly listed?: ListedInstance; readonly reason?: string } {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    return { reason: 'it is no object' };
  const fields = document as Record<string, unknown>;
  const app = textOf(fields['app']) ?? textOf(application);
  const id = textOf(fields['instanceId']) ?? textOf(fields['hostName']);
  if (app === undefined || id === undefined) return { reason: 'it has no application or no id' };
  const action = eurekaActions.find((known) => known === fields['actionType']);
  const status = eurekaStatuses.find((known) => known === fields['status']) ?? 'UNKNOWN';
  const listed = { key: `${app.toUpperCase()}\n${id}`, status, action, names: namesOf(app, fields) };
  if (action === 'DELETED') return { listed };
  try {
    return { listed: { ...listed, instance: usable(decodeInstance(whole(fields, app), now)) } };
  } catch (cause) {
    return { listed, reason: cause instanceof FlotillaError ? cause.detail : String(cause) };
  }
}

/** The short form has no `lastDirtyTimestamp`: what changed last is told by `lastUpdatedTimestamp` then. */
function whole(fields: Record<string, unknown>, app: string): Record<string, unknown> {
  const { app: _, lastDirtyTimestamp = fields['lastUpdatedTimestamp'], ...rest } = fields;
  return { ...rest, app, lastDirtyTimestamp };
}

/** Without addresses that nobody can call, and without what changes at each renewal. */
function usable(instance: Instance): Instance {
  const addresses = instance.addresses.filter(canBeCalled);
  if (addresses.length === 0) {
    const given = instance.addresses.map(({ host, port }) => formatHostPort({ host, port })).join(', ');
    throw new FlotillaError('INVALID_INPUT', given === '' ? 'it has no address' : `nobody can call ${given}`);
  }
  return { ...instance, addresses, bags: steadyBags(instance) };
}

function steadyBags({ bags }: Instance): Instance['bags'] {
  const bag = bags[bagName];
  if (typeof bag !== 'object' || bag === null || Array.isArray(bag)) return bags;
  const steady = Object.entries(bag).filter(([name]) => !unsteady.has(name));
  const { [bagName]: _, ...others } = bags;
  return steady.length === 0 ? others : { ...others, [bagName]: Object.fromEntries(steady) };
}

const unsteady: ReadonlySet<string> = new Set([
  'lastUpdatedTimestamp',
  'actionType',
  'registrationTimestamp',
  'lastRenewalTimestamp',
  'evictionTimestamp',
]);

/** Port 0, the unspecified addresses (they would be this machine), multicast and broadcast belong to no instance. */
function canBeCalled({ host, port }: Address): boolean {
  return port > 0 && !/^(?:0\.|2(?:2[4-9]|3\d)\.|255\.255\.255\.255$|::$|ff[0-9a-f]{2}:)/i.test(host);
}

/** Spring's callers look up the VIP address, one of several with commas between them, in any case. */
function namesOf(app: string, fields: Record<string, unknown>): ReadonlySet<string> {
  const vips = `${textOf(fields['vipAddress']) ?? ''},${textOf(fields['secureVipAddress']) ?? ''}`.split(',', 64);
  return new Set([app, ...vips].map((name) => name.trim().toLowerCase()).filter((name) => name !== ''));
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 1_024 ? value : undefined;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    throw notEurekas('it is not JSON', cause);
  }
}

function fieldsOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw notEurekas(`${what} is not an object`);
}

function notEurekas(detail: string, cause?: unknown): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `the answer is not that of a Eureka server: ${detail}`, { cause });
}
