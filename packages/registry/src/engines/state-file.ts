import { createHash } from 'node:crypto';
import { FlotillaError } from '@flotilla/core';
import { checkInstance, checkStatus } from '../check-instance.ts';
import { oneText, record, wholeNumber } from '../field-checks.ts';
import { instanceText } from '../instance-text.ts';
import type { SavedLease, SavedTombstone, StoredState } from '../lease/stored-state.ts';

/**
 * The file of a saved state: text, a line per record, so that it can be read with any pager.
 *
 * ```
 * flotilla-registry 1 <generation> <sha256 of all that follows>
 * {"revision":7}
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
  readonly state: StoredState;
}

/** How a file that cannot be used is wrong. */
export type StateFileFault = { readonly fault: 'damaged' | 'newer' | 'foreign'; readonly detail: string };

/** Records written between two turns of the event loop: about a millisecond of work. */
const recordsPerTurn = 500;

/** Written in slices, so that a large registry goes on answering meanwhile. */
export async function writeStateFile({ generation, state }: StateFile, turn: () => Promise<void>): Promise<Buffer[]> {
  const hash = createHash('sha256');
  const chunks: Buffer[] = [];
  let lines: string[] = [JSON.stringify({ revision: state.revision })];
  const flush = async (): Promise<void> => {
    const chunk = Buffer.from(`${lines.join('\n')}\n`);
    hash.update(chunk);
    chunks.push(chunk);
    lines = [];
    await turn();
  };
  for (const line of recordLines(state)) {
    if (lines.push(line) >= recordsPerTurn) await flush();
  }
  if (lines.length > 0) await flush();
  return [Buffer.from(`${stateMagic} ${stateVersion} ${generation} ${hash.digest('hex')}\n`), ...chunks];
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
    return { generation: Number(generation), state: readRecords(body.toString('utf8')) };
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

function* recordLines({ leases, tombstones }: StoredState): Generator<string> {
  for (const { instance, ...lease } of leases) {
    yield `{"lease":${JSON.stringify(lease)},"instance":${instanceText(instance)}}`;
  }
  for (const stone of tombstones) yield JSON.stringify({ gone: stone });
}

function readRecords(text: string): StoredState {
  const leases: SavedLease[] = [];
  const tombstones: SavedTombstone[] = [];
  let revision = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const fields = record(JSON.parse(line), 'record');
    if (fields['lease'] !== undefined) leases.push(readLease(fields));
    else if (fields['gone'] !== undefined) tombstones.push(readTombstone(fields['gone']));
    else revision = wholeNumber(fields['revision'], 'revision');
  }
  return { revision, leases, tombstones };
}

function readLease({ lease, instance }: Readonly<Record<string, unknown>>): SavedLease {
  const fields = record(lease, 'lease');
  return {
    instance: checkInstance(instance),
    declaredIncarnation: wholeNumber(fields['declaredIncarnation'], 'lease.declaredIncarnation'),
    registeredAt: wholeNumber(fields['registeredAt'], 'lease.registeredAt'),
    renewedAt: wholeNumber(fields['renewedAt'], 'lease.renewedAt'),
    changedAt: wholeNumber(fields['changedAt'], 'lease.changedAt'),
    upAt: wholeNumber(fields['upAt'], 'lease.upAt'),
  };
}

function readTombstone(value: unknown): SavedTombstone {
  const fields = record(value, 'gone');
  const { override } = fields;
  return {
    service: oneText(fields['service'], 'gone.service'),
    id: oneText(fields['id'], 'gone.id'),
    incarnation: wholeNumber(fields['incarnation'], 'gone.incarnation'),
    reason: fields['reason'] === 'evicted' ? 'evicted' : 'deregistered',
    ...(override === undefined ? undefined : { override: checkStatus(override, 'gone.override') }),
    until: wholeNumber(fields['until'], 'gone.until'),
  };
}
