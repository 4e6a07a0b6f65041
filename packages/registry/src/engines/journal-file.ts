import { crc32 } from 'node:zlib';
import { FlotillaError } from '@flotilla/core';
import type { StoredChange } from '../lease/stored-state.ts';
import { changeLine, headerBytes, linesOf, readChange } from './state-file.ts';

/**
 * A journal: the changes since a state file, in batches of which each was one write and one sync. Text, like the state
 * file beside it.
 *
 * ```
 * flotilla-registry-journal 1 <number of its first batch> <generation of the state file when it was begun>
 * <number> <bytes that follow> <crc32 of number, bytes and what follows>
 * {"revision":8,"lease":{…},"instance":{…}}
 * {"revision":9,"gone":{…}}
 * <number + 1> …
 * ```
 *
 * The numbers of batches go on from journal to journal. A batch is begun when the one before it is on the disk, so only
 * the last one can be torn: a good batch behind a bad one means that the disk lost what it had promised to keep.
 */
export const journalMagic = 'flotilla-registry-journal';
export const journalVersion = 1;

/** What a journal begins with. */
export interface JournalHead {
  /** The number of its first batch. */
  readonly first: number;
  /** The generation of the state file when it was begun; 0: there was none. */
  readonly base: number;
}

/** What a journal holds. */
export interface JournalFile extends JournalHead {
  /** The number of the batch that comes next. */
  readonly next: number;
  readonly changes: readonly StoredChange[];
  /** Bytes behind the last whole batch: a write that was cut off. */
  readonly tornBytes: number;
}

/** How a journal that cannot be used is wrong; what comes before that can be. */
export interface JournalFault {
  readonly fault: 'damaged' | 'newer';
  readonly detail: string;
}

export function journalHead({ first, base }: JournalHead): Buffer {
  return Buffer.from(`${journalMagic} ${journalVersion} ${first} ${base}\n`);
}

export function journalBatch(number: number, changes: readonly StoredChange[]): Buffer {
  const body = Buffer.from(changes.map(changeLine).join(''));
  return Buffer.concat([Buffer.from(`${number} ${body.length} ${checksumOf(number, body)}\n`), body]);
}

/** @param named the number that the file's name says. */
export function readJournal(bytes: Buffer, named: number): { file: JournalFile; fault?: JournalFault } {
  const [magic, version = '', first, base = ''] = headOf(bytes, 0)?.text.split(' ') ?? [];
  const empty: JournalFile = { first: named, base: 0, next: named, changes: [], tornBytes: bytes.length };
  if (magic === journalMagic && /^[1-9]\d{0,8}$/.test(version) && Number(version) > journalVersion) {
    const detail = `it is of version ${version}, this program reads up to ${journalVersion}`;
    return { file: empty, fault: { fault: 'newer', detail } };
  }
  const readable = magic === journalMagic && version === `${journalVersion}` && first === `${named}`;
  if (!readable || !/^\d{1,15}$/.test(base)) {
    if (!hasBatch(bytes, 0)) return { file: empty }; // its first write was cut off
    return { file: empty, fault: damaged('its first line is not that of a journal of its name') };
  }
  return readBatches(bytes, { ...empty, base: Number(base) });
}

function readBatches(bytes: Buffer, empty: JournalFile): ReturnType<typeof readJournal> {
  const changes: StoredChange[] = [];
  let next = empty.first;
  let at = bytes.indexOf('\n') + 1;
  for (;;) {
    const batch = batchAt(bytes, at);
    const file: JournalFile = { ...empty, next, changes, tornBytes: bytes.length - at };
    if (!batch) {
      if (!hasBatch(bytes, at)) return { file };
      return { file, fault: damaged(`batch ${next} at byte ${at} is broken, and whole ones follow`) };
    }
    if (batch.number !== next) return { file, fault: damaged(`batch ${batch.number} follows ${next - 1}`) };
    try {
      for (const line of linesOf(batch.body)) changes.push(readChange(line));
    } catch (thrown) {
      const why = thrown instanceof FlotillaError ? thrown.detail : 'a line is not JSON';
      return { file: { ...file, changes }, fault: damaged(`batch ${next} has the right checksum, but ${why}`) };
    }
    next++;
    at = batch.end;
  }
}

interface Batch {
  readonly number: number;
  readonly body: Buffer;
  readonly end: number;
}

/** The whole batch that begins at that byte, if one does. */
function batchAt(bytes: Buffer, at: number): Batch | undefined {
  const head = headOf(bytes, at);
  const [, number, length, checksum] = /^(\d{1,15}) (\d{1,10}) ([0-9a-f]{8})$/.exec(head?.text ?? '') ?? [];
  if (!head || number === undefined) return undefined;
  const body = bytes.subarray(head.end, head.end + Number(length));
  if (body.length < Number(length) || checksumOf(Number(number), body) !== checksum) return undefined;
  return { number: Number(number), body, end: head.end + body.length };
}

/** Whether any line from there on begins a whole batch. */
function hasBatch(bytes: Buffer, from: number): boolean {
  for (let at = from; at >= 0 && at < bytes.length; ) {
    if (batchAt(bytes, at)) return true;
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) return false;
    at = end + 1;
  }
  return false;
}

function headOf(bytes: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  const line = bytes.subarray(at, at + headerBytes);
  const length = line.indexOf(0x0a);
  return length < 0 ? undefined : { text: line.toString('latin1', 0, length), end: at + length + 1 };
}

/** 32 bits are enough for a batch: what they have to find is a write that was cut off. */
function checksumOf(number: number, body: Buffer): string {
  return crc32(body, crc32(`${number} ${body.length}\n`))
    .toString(16)
    .padStart(8, '0');
}

function damaged(detail: string): JournalFault {
  return { fault: 'damaged', detail };
}
