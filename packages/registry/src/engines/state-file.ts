import { createHash } from 'node:crypto';
import { FlotillaError } from '@flotilla/core';
import { checkInstance, checkStatus } from '../check-instance.ts';
import { oneText, optional, record, text, wholeNumber } from '../field-checks.ts';
import type { SavedLease, SavedTombstone, StateDraft, StoredChange, StoredState } from '../lease/stored-state.ts';
import type { NewFile } from './disk.ts';

/**
 * The file of a saved state: text, a line per record, so that it can be read with any pager.
 *
 * ```
 * flotilla-registry 1 <generation> <sha256 of all that follows>
 * {"revision":7,"journal":3}
 * {"lease":{…},"instance":{…}}
 * {"gone":{…}}
 * ```
 */
export const stateMagic = 'flotilla-registry';
export const stateVersion = 1;
/** The first line is never longer. */
export const headerBytes = 200;

/** What a file holds. */
export interface StateFile {
  /** Rises by one with each save: a second writer would be noticed. */
  readonly generation: number;
  /** The first journal whose changes are not in it; undefined in a file of a program that kept no journal. */
  readonly journal: number | undefined;
  readonly state: StoredState;
}

/** How a file that cannot be used is wrong. */
export type StateFileFault = { readonly fault: 'damaged' | 'newer' | 'foreign'; readonly detail: string };

/** Records written between two turns of the event loop: about a millisecond of work. */
const recordsPerTurn = 500;

/** What a state file is written from. */
export interface StateFileParts {
  readonly generation: number;
  /** The first journal whose changes are not in it. */
  readonly journal: number;
  readonly draft: StateDraft;
  /** More bytes are an error, EFBIG. */
  readonly maxBytes: number;
  /** Waits for the next turn of the event loop. */
  readonly turn: () => Promise<void>;
}

/** Written in slices, so that a large registry goes on answering meanwhile, and never whole in memory. */
export function stateFileOf({ generation, journal, draft, maxBytes, turn }: StateFileParts): NewFile {
  const hash = createHash('sha256');
  const headOf = (checksum: string): Buffer => Buffer.from(`${stateMagic} ${stateVersion} ${generation} ${checksum}\n`);
  const headBytes = headOf('0'.repeat(64)).length;
  async function* body(): AsyncGenerator<Buffer, void> {
    let bytes = headBytes;
    for (const lines of slices(recordLines(draft, journal), recordsPerTurn)) {
      const chunk = Buffer.from(lines.join(''));
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(bytes, maxBytes);
      hash.update(chunk);
      yield chunk;
      await turn();
    }
  }
  return { headBytes, body: body(), head: () => headOf(hash.digest('hex')) };
}

function* slices<T>(items: Iterable<T>, size: number): Generator<T[], void> {
  let slice: T[] = [];
  for (const item of items) {
    if (slice.push(item) < size) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

function tooLarge(bytes: number, maxBytes: number): Error {
  const detail = `EFBIG: the state has over ${bytes - 1} bytes; the limit is ${maxBytes}`;
  return Object.assign(new Error(detail), { code: 'EFBIG' });
}

/** The generation alone; undefined for what is no file of ours. */
export function readGeneration(bytes: Buffer): number | undefined {
  const [magic, , generation] = headerOf(bytes);
  return magic === stateMagic && /^\d{1,15}$/.test(generation ?? '') ? Number(generation) : undefined;
}

export function readStateFile(bytes: Buffer): StateFile | StateFileFault {
  const [magic, version = '', generation = '', checksum] = headerOf(bytes);
  if (magic !== stateMagic) {
    return { fault: looksOurs(bytes) ? 'damaged' : 'foreign', detail: `it does not begin with "${stateMagic}"` };
  }
  if (/^[1-9]\d{0,8}$/.test(version) && Number(version) > stateVersion) {
    return { fault: 'newer', detail: `it is of version ${version}, this program reads up to ${stateVersion}` };
  }
  if (version !== String(stateVersion) || !/^\d{1,15}$/.test(generation)) {
    return { fault: 'damaged', detail: 'its first line is not "flotilla-registry <version> <generation> <checksum>"' };
  }
  const body = bytes.subarray(bytes.indexOf('\n') + 1);
  const found = createHash('sha256').update(body).digest('hex');
  if (found !== checksum) {
    return {
      fault: 'damaged',
      detail: `its ${body.length} bytes have the checksum ${found.slice(0, 12)}…, not ${checksum?.slice(0, 12)}…`,
    };
  }
  try {
    return { generation: Number(generation), ...readRecords(body) };
  } catch (thrown) {
    const detail = thrown instanceof FlotillaError ? thrown.detail : 'a line is not JSON';
    return { fault: 'damaged', detail: `its checksum is right, but ${detail}` };
  }
}

/** A file that is empty, or holds records of ours behind a broken first line. Nobody else's file is to be moved. */
function looksOurs(bytes: Buffer): boolean {
  const beginning = bytes.subarray(0, 65_536).toString('latin1');
  return beginning === '' || beginning.startsWith(stateMagic) || beginning.includes('\n{"revision":');
}

function headerOf(bytes: Buffer): string[] {
  const end = bytes.indexOf('\n');
  return end < 0 || end > headerBytes ? [] : bytes.subarray(0, end).toString('latin1').split(' ');
}

function* recordLines({ revision, leases, tombstones }: StateDraft, journal: number): Generator<string, void> {
  yield `{"revision":${revision},"journal":${journal}}\n`;
  for (const lease of leases) yield `{${leaseMembers(lease)}}\n`;
  for (const stone of tombstones) yield `{"gone":${JSON.stringify(stone)}}\n`;
}

/** A change as the journal holds it. */
export function changeLine(change: StoredChange): string {
  const { revision } = change;
  if ('lease' in change) return `{"revision":${revision},${leaseMembers(change.lease)}}\n`;
  return `{"revision":${revision},"gone":${JSON.stringify(change.gone)}}\n`;
}

/** @throws FlotillaError INVALID_INPUT, SyntaxError */
export function readChange(line: string): StoredChange {
  const fields = record(JSON.parse(line), 'record');
  const revision = wholeNumber(fields['revision'], 'revision');
  return fields['lease'] === undefined
    ? { revision, gone: readTombstone(fields['gone']) }
    : { revision, lease: readLease(fields) };
}

/** Numbers are written as JSON writes them: every lease has passed its checks, so they are finite. */
function leaseMembers(saved: SavedLease): string {
  const { instance, declaredIncarnation, registeredAt, renewedAt, changedAt, upAt, owner } = saved;
  const own = owner === undefined ? '' : `,"owner":${JSON.stringify(owner)}`;
  const times = `"registeredAt":${registeredAt},"renewedAt":${renewedAt},"changedAt":${changedAt},"upAt":${upAt}`;
  const lease = `{"declaredIncarnation":${declaredIncarnation},${times}${own}}`;
  return `"lease":${lease},"instance":${JSON.stringify(instance)}`;
}

/** Line by line: the whole of a large file as one text would be several times the state. */
export function* linesOf(bytes: Buffer): Generator<string, void> {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end;
    if (to > from) yield bytes.toString('utf8', from, to);
    from = to + 1;
  }
}

function readRecords(body: Buffer): Pick<StateFile, 'state' | 'journal'> {
  const leases: SavedLease[] = [];
  const tombstones: SavedTombstone[] = [];
  let revision = 0;
  let journal: number | undefined;
  for (const line of linesOf(body)) {
    const fields = record(JSON.parse(line), 'record');
    if (fields['lease'] !== undefined) leases.push(readLease(fields));
    else if (fields['gone'] !== undefined) tombstones.push(readTombstone(fields['gone']));
    else {
      revision = wholeNumber(fields['revision'], 'revision');
      journal = optional(fields['journal'], 'journal', wholeNumber);
    }
  }
  return { state: { revision, leases, tombstones }, journal };
}

export function readLease({ lease, instance }: Readonly<Record<string, unknown>>): SavedLease {
  const fields = record(lease, 'lease');
  const owner = optional(fields['owner'], 'lease.owner', text);
  return {
    instance: checkInstance(instance),
    declaredIncarnation: wholeNumber(fields['declaredIncarnation'], 'lease.declaredIncarnation'),
    registeredAt: wholeNumber(fields['registeredAt'], 'lease.registeredAt'),
    renewedAt: wholeNumber(fields['renewedAt'], 'lease.renewedAt'),
    changedAt: wholeNumber(fields['changedAt'], 'lease.changedAt'),
    upAt: wholeNumber(fields['upAt'], 'lease.upAt'),
    ...(owner === undefined ? undefined : { owner }),
  };
}

export function readTombstone(value: unknown): SavedTombstone {
  const fields = record(value, 'gone');
  const { override, declaredIncarnation: declared } = fields;
  return {
    service: oneText(fields['service'], 'gone.service'),
    id: oneText(fields['id'], 'gone.id'),
    incarnation: wholeNumber(fields['incarnation'], 'gone.incarnation'),
    ...(declared === undefined
      ? undefined
      : { declaredIncarnation: wholeNumber(declared, 'gone.declaredIncarnation') }),
    reason: fields['reason'] === 'evicted' ? 'evicted' : 'deregistered',
    ...(override === undefined ? undefined : { override: checkStatus(override, 'gone.override') }),
    until: wholeNumber(fields['until'], 'gone.until'),
  };
}
