import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { type Logger, nullLogger } from '@flotilla/core';
import type { AuditEntry, AuditSink } from '../server/audit.ts';
import { codeOf } from './disk.ts';

/** What {@link auditFile} is told. */
export interface AuditFileOptions {
  /** Appended to, never rewritten; its folder must exist. Readable by its owner only. */
  readonly path: string;
  /** When it would grow beyond this, it becomes `<path>.1`, that one `<path>.2`, and so on. Default 16 MB. */
  readonly maxBytes?: number;
  /** Full files kept beside it; the oldest goes. Default 9. */
  readonly keepFiles?: number;
  readonly logger?: Logger;
}

export const auditFileDefaults: Readonly<Required<Pick<AuditFileOptions, 'maxBytes' | 'keepFiles'>>> = Object.freeze({
  maxBytes: 16_777_216,
  keepFiles: 9,
});

/** Lines that may wait for the disk; further ones are lost, and counted in the next one. */
const mostWaiting = 10_000;
const tailBytes = 16_384;
/** What the first line of a chain follows. */
const noHash = '0'.repeat(64);

/**
 * An audit log as a file, a line of JSON per entry. Each line ends with `"hash"`: the SHA-256 of the line before it (its
 * hash) and of itself without that member, so that a line that was changed or taken out shows: {@link verifyAuditLines}.
 * The chain goes on over restarts and from one file to the next.
 *
 * A disk that refuses stops nothing: it is said in the log, lines wait up to a bound, what is lost is counted in the next
 * line (`lost`).
 */
export function auditFile(options: AuditFileOptions): AuditSink {
  return new AuditFile(options);
}

class AuditFile implements AuditSink {
  readonly #options: Required<AuditFileOptions>;
  readonly #waiting: AuditEntry[] = [];
  #lost = 0;
  #hash: string | undefined;
  #bytes = 0;
  #file: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;

  constructor(options: AuditFileOptions) {
    this.#options = { ...auditFileDefaults, logger: nullLogger, ...options };
  }

  append(entry: AuditEntry): void {
    if (this.#waiting.length >= mostWaiting) this.#lost++;
    else this.#waiting.push(entry);
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    if (this.#waiting.length > 0) await this.#writeAll();
    await this.#file?.close();
    this.#file = undefined;
  }

  /** Never rejects: what could not be written waits for the next entry. */
  async #writeAll(): Promise<void> {
    const { path, logger } = this.#options;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.slice(0, 1_000);
        await this.#write(batch);
        this.#waiting.splice(0, batch.length);
      }
      if (this.#failing) logger.info('the audit log is written again', { path });
      this.#failing = false;
    } catch (cause) {
      if (!this.#failing) logger.error('the audit log cannot be written; its lines wait in memory', { path, cause });
      this.#failing = true;
      // What of the batch is there is found out from the file when it is opened again.
      await this.#file?.close().catch(() => {});
      this.#file = undefined;
    }
  }

  async #write(batch: readonly AuditEntry[]): Promise<void> {
    const lost = this.#lost;
    let file = await this.#open();
    let hash = this.#hash ?? noHash;
    const lines: string[] = [];
    for (const [index, entry] of batch.entries()) {
      const { line, hash: next } = chained(index === 0 && lost > 0 ? { ...entry, lost } : entry, hash);
      lines.push(line);
      hash = next;
    }
    const bytes = Buffer.from(lines.join(''));
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.maxBytes) file = await this.#rotate();
    await file.appendFile(bytes);
    await file.datasync();
    this.#bytes += bytes.length;
    this.#hash = hash;
    this.#lost -= lost;
  }

  async #open(): Promise<FileHandle> {
    if (this.#file) return this.#file;
    const file = await open(this.#options.path, 'a+', 0o600);
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - tailBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const tail = buffer.toString('utf8', 0, bytesRead);
      // A line that a crash cut short is ended, so that the next one stands alone.
      if (tail !== '' && !tail.endsWith('\n')) await file.appendFile('\n');
      this.#bytes = size;
      this.#hash = lastHash(tail) ?? this.#hash ?? (await this.#hashBefore());
    } catch (thrown) {
      await file.close().catch(() => {});
      throw thrown;
    }
    this.#file = file;
    return file;
  }

  /** Of the file before this one: it was full, and the new one is still empty. */
  async #hashBefore(): Promise<string | undefined> {
    try {
      await using file = await open(`${this.#options.path}.1`, 'r');
      const { size } = await file.stat();
      const from = Math.max(0, size - tailBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      return lastHash(buffer.toString('utf8', 0, bytesRead));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #rotate(): Promise<FileHandle> {
    const { path, keepFiles } = this.#options;
    await this.#file?.close();
    this.#file = undefined;
    await rm(`${path}.${keepFiles}`, { force: true });
    for (let number = keepFiles - 1; number >= 0; number--) {
      const from = number === 0 ? path : `${path}.${number}`;
      try {
        await rename(from, `${path}.${number + 1}`);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    }
    return this.#open();
  }
}

/**
 * Whether lines of an audit log follow one another without a gap.
 * @param lines without line feeds, in their order.
 * @param before the hash that the first one follows. Default: whatever it follows is believed.
 * @returns the number of the first line that does not fit, counted from 1; undefined: all do.
 */
export function verifyAuditLines(lines: readonly string[], before?: string): number | undefined {
  let hash = before;
  for (const [index, line] of lines.entries()) {
    const [, text, found] = /^(.*),"prev":"[0-9a-f]{64}","hash":"([0-9a-f]{64})"\}$/s.exec(line) ?? [];
    const prev = /,"prev":"([0-9a-f]{64})","hash"/.exec(line)?.[1];
    if (text === undefined || prev === undefined || (hash !== undefined && prev !== hash)) return index + 1;
    if (hashOf(prev, `${text}}`) !== found) return index + 1;
    hash = found;
  }
  return undefined;
}

function chained(entry: object, before: string): { readonly line: string; readonly hash: string } {
  const text = JSON.stringify(entry);
  const hash = hashOf(before, text);
  return { line: `${text.slice(0, -1)},"prev":"${before}","hash":"${hash}"}\n`, hash };
}

function hashOf(before: string, text: string): string {
  return createHash('sha256').update(`${before}\n${text}`).digest('hex');
}

function lastHash(tail: string): string | undefined {
  return [...tail.matchAll(/,"hash":"([0-9a-f]{64})"\}$/gm)].at(-1)?.[1];
}
