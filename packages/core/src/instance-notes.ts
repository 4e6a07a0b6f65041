import { FlotillaError } from './errors.ts';
import { type Identity, identity } from './identity.ts';
import {
  type Address,
  type ContractRef,
  type Instance,
  type InstanceStatus,
  instanceStatuses,
  type LeaseTerms,
} from './instance.ts';

/** What an instance says in fields of its own: all but metadata and bags. */
export type InstanceFacts = Omit<Instance, 'metadata' | 'bags'>;

/**
 * Facts for which a foreign registry has no field travel in its metadata, as *notes*: entries named `flotilla.<fact>`.
 * A note is written only where the foreign fields alone would be read as something else, so an instance that says
 * nothing unusual carries none.
 *
 * | note | text |
 * |---|---|
 * | `flotilla.id`, `.namespace`, `.group`, `.service`, `.version`, `.status` | as it is |
 * | `flotilla.zone`, `.cluster`, `.startedAt` | as it is; empty: absent |
 * | `flotilla.override` | a status, or `none` |
 * | `flotilla.incarnation`, `.weight`, `.revision` | a decimal number |
 * | `flotilla.addresses`, `.contracts` | JSON, as in the neutral form |
 * | `flotilla.calls` | JSON, as in the neutral form, or `none` |
 * | `flotilla.lease` | JSON, as in the neutral form, or `none` |
 */
export const notePrefix = 'flotilla.';

/** Before the name of an owner's entry whose plain name would be read as something else. */
export const escapedPrefix = 'flotilla.user.';

/** The longest text of a note, in characters: room for some hundred contracts. */
export const noteLimit = 65_536;

/** The bound of a host: a name or an IP address, as {@link Address} holds it. */
const hostPattern = /^[^\s/\\@?#[\]\p{Cc}\p{Cs}]{1,255}$/u;
const protocolPattern = /^[A-Za-z][A-Za-z0-9+.-]{0,63}$/;
const printablePattern = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

/** How one fact is written as text, and read back. */
interface Note {
  write(facts: InstanceFacts): string;
  read(text: string, facts: InstanceFacts): InstanceFacts;
}

const notes: ReadonlyMap<string, Note> = new Map<string, Note>([
  ['flotilla.id', { write: (facts) => facts.id, read: (text, facts) => ({ ...facts, id: checkId(text) }) }],
  ['flotilla.namespace', identityNote('namespace')],
  ['flotilla.group', identityNote('group')],
  ['flotilla.service', identityNote('service')],
  ['flotilla.version', identityNote('version')],
  ['flotilla.incarnation', numberNote('incarnation', Number.isSafeInteger)],
  ['flotilla.addresses', listNote('addresses', plainAddress, readAddress)],
  ['flotilla.contracts', listNote('contracts', plainContract, readContract)],
  ['flotilla.calls', optionalNote('calls', 'none', plainContracts, readContracts)],
  [
    'flotilla.status',
    { write: (facts) => facts.status, read: (text, facts) => ({ ...facts, status: readStatus(text) }) },
  ],
  ['flotilla.override', optionalNote('override', 'none', (status) => status, readStatus)],
  ['flotilla.zone', optionalNote('zone', '', (zone) => zone, checkPlace)],
  ['flotilla.cluster', optionalNote('cluster', '', (cluster) => cluster, checkPlace)],
  ['flotilla.weight', numberNote('weight', Number.isFinite)],
  ['flotilla.lease', optionalNote('lease', 'none', plainLease, readLease)],
  ['flotilla.startedAt', optionalNote('startedAt', '', String, readInstant)],
  ['flotilla.revision', numberNote('revision', Number.isSafeInteger)],
]);

/** Whether `name` is a note's, so that an owner's entry of that name has to be written in another way. */
export function isNoteName(name: string): boolean {
  return notes.has(name);
}

/**
 * The notes without which a reader of the foreign fields would not learn what `instance` says.
 * @param native what the foreign fields alone are read as.
 */
export function writeNotes(instance: Instance, native: InstanceFacts): [name: string, text: string][] {
  const written: [string, string][] = [];
  for (const [name, note] of notes) {
    const text = note.write(instance);
    if (text !== note.write(native)) written.push([name, text]);
  }
  return written;
}

/**
 * What foreign fields and notes say together.
 * @param native what the foreign fields alone are read as.
 * @param entries metadata; entries that are no notes are passed over.
 * @throws FlotillaError INVALID_INPUT naming a note that cannot be read.
 */
export function readNotes(native: InstanceFacts, entries: Iterable<readonly [string, string]>): InstanceFacts {
  let facts = native;
  for (const [name, text] of entries) {
    const note = notes.get(name);
    if (!note) continue;
    if (text.length > noteLimit) {
      throw new FlotillaError('INVALID_INPUT', `metadata "${name}" is ${text.length} long; the limit is ${noteLimit}`);
    }
    try {
      facts = note.read(text, facts);
    } catch (cause) {
      const reason = cause instanceof FlotillaError ? cause.detail : 'it is not what Flotilla writes there';
      throw new FlotillaError('INVALID_INPUT', `metadata "${name}": ${reason}`, { cause });
    }
  }
  return facts;
}

/**
 * The owner's metadata as foreign metadata: an entry that would be taken for a note, or that `means` something to the
 * dialect, is written with {@link escapedPrefix} before its name.
 */
export function writeOwn(
  metadata: Instance['metadata'],
  means: (name: string, text: string) => boolean,
): [name: string, text: string][] {
  return Object.entries(metadata).map(([name, text]) =>
    isNoteName(name) || name.startsWith(escapedPrefix) || means(name, text)
      ? [`${escapedPrefix}${name}`, text]
      : [name, text],
  );
}

/** The entries of foreign metadata that are the owner's: no notes, and nothing that `means` something to the dialect. */
export function readOwn(
  entries: Iterable<readonly [string, string]>,
  means: (name: string, text: string) => boolean,
): [name: string, text: string][] {
  const own: [string, string][] = [];
  for (const [name, text] of entries) {
    if (name.startsWith(escapedPrefix)) own.push([name.slice(escapedPrefix.length), text]);
    else if (!isNoteName(name) && !means(name, text)) own.push([name, text]);
  }
  return own;
}

/** A host that an address may have: no blanks, control characters or URL delimiters; 1 to 255 characters. */
export function isHost(text: string): boolean {
  return hostPattern.test(text);
}

/** A protocol that an address may have: written as the scheme of a URL (RFC 3986 §3.1), up to 64 characters. */
export function isProtocol(text: string): boolean {
  return protocolPattern.test(text);
}

/** The fact as an instance id. @throws FlotillaError INVALID_INPUT unless it is 1 to 255 printable characters. */
export function checkId(text: string): string {
  if (printablePattern.test(text)) return text;
  throw new FlotillaError('INVALID_INPUT', `instance id "${text.slice(0, 80)}" must be 1 to 255 printable characters`);
}

function identityNote(part: keyof Identity): Note {
  return {
    write: (facts) => facts.identity[part],
    read(text, facts) {
      const parts = { ...facts.identity, [part]: text };
      return { ...facts, identity: identity(parts.service, parts) };
    },
  };
}

function numberNote(fact: 'incarnation' | 'weight' | 'revision', fits: (value: number) => boolean): Note {
  return {
    write: (facts) => String(facts[fact]),
    read: (text, facts) => ({ ...facts, [fact]: readNumber(text, fits) }),
  };
}

function listNote<K extends 'addresses' | 'contracts'>(
  fact: K,
  plain: (item: InstanceFacts[K][number]) => unknown,
  read: (item: unknown) => InstanceFacts[K][number],
): Note {
  return {
    write: (facts) => JSON.stringify(facts[fact].map(plain)),
    read: (text, facts) => ({ ...facts, [fact]: readList(text).map(read) }),
  };
}

function optionalNote<K extends 'calls' | 'override' | 'zone' | 'cluster' | 'lease' | 'startedAt'>(
  fact: K,
  absent: string,
  write: (value: NonNullable<InstanceFacts[K]>) => string,
  read: (text: string) => NonNullable<InstanceFacts[K]>,
): Note {
  return {
    write(facts) {
      const value = facts[fact];
      return value === undefined ? absent : write(value);
    },
    read(text, facts) {
      const { [fact]: _, ...others } = facts;
      return text === absent ? (others as InstanceFacts) : { ...facts, [fact]: read(text) };
    },
  };
}

/** Copied member by member: fixes the order, leaves out what does not belong. */
function plainAddress({ protocol, host, port }: Address): Address {
  return { protocol, host, port };
}

function readAddress(item: unknown): Address {
  const { protocol, host, port } = item as Partial<Record<keyof Address, unknown>>;
  if (typeof protocol !== 'string' || !isProtocol(protocol)) {
    throw new FlotillaError('INVALID_INPUT', 'an address has no protocol');
  }
  if (typeof host !== 'string' || !isHost(host)) throw new FlotillaError('INVALID_INPUT', 'an address has no host');
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new FlotillaError('INVALID_INPUT', 'an address has no port from 0 to 65535');
  }
  return { protocol, host, port };
}

function plainContract({ name, version, hash }: ContractRef): ContractRef {
  return { name, version, hash };
}

function readContract(item: unknown): ContractRef {
  const { name, version, hash } = item as Partial<Record<keyof ContractRef, unknown>>;
  if (typeof name !== 'string' || name === '') throw new FlotillaError('INVALID_INPUT', 'a contract has no name');
  if (typeof version !== 'number' || typeof hash !== 'string') {
    throw new FlotillaError('INVALID_INPUT', `the contract "${name.slice(0, 80)}" has no version or no hash`);
  }
  return { name, version, hash };
}

function plainContracts(contracts: readonly ContractRef[]): string {
  return JSON.stringify(contracts.map(plainContract));
}

function readContracts(text: string): readonly ContractRef[] {
  return readList(text).map(readContract);
}

function readList(text: string): readonly unknown[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new FlotillaError('INVALID_INPUT', 'expected a JSON list');
  return list;
}

function plainLease({ renewEveryMs, lastsMs }: LeaseTerms): string {
  return JSON.stringify({ renewEveryMs, lastsMs });
}

function readLease(text: string): LeaseTerms {
  const { renewEveryMs, lastsMs } = JSON.parse(text) as Partial<Record<keyof LeaseTerms, unknown>>;
  if (typeof renewEveryMs !== 'number' || typeof lastsMs !== 'number' || renewEveryMs <= 0 || lastsMs <= 0) {
    throw new FlotillaError('INVALID_INPUT', 'a lease needs renewEveryMs and lastsMs above 0');
  }
  return { renewEveryMs, lastsMs };
}

function readStatus(text: string): InstanceStatus {
  const status = instanceStatuses.find((known) => known === text);
  if (status) return status;
  throw new FlotillaError('INVALID_INPUT', `"${text.slice(0, 40)}" is none of ${instanceStatuses.join(', ')}`);
}

function readInstant(text: string): number {
  return readNumber(text, Number.isSafeInteger);
}

function readNumber(text: string, fits: (value: number) => boolean): number {
  const value = Number(text);
  if (fits(value) && value >= 0 && String(value) === text) return value; // one text per number
  throw new FlotillaError('INVALID_INPUT', `"${text.slice(0, 40)}" is not a number from 0 on`);
}

function checkPlace(text: string): string {
  if (printablePattern.test(text)) return text;
  throw new FlotillaError('INVALID_INPUT', 'expected 1 to 255 printable characters');
}
