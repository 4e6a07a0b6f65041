import { constants, stat, write } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';

/** The few things that a file store does to a disk; a test stands in for them to lose power at each step. */
export interface Disk {
  /**
   * @param firstBytes no more than these, from the beginning. Default: all.
   * @returns undefined when there is no such file.
   */
  read(path: string, firstBytes?: number): Promise<Buffer | undefined>;
  /** Bytes of a file; undefined when there is none. */
  size(path: string): Promise<number | undefined>;
  /** Makes or replaces a file, readable by its owner only, and waits until the disk has it. */
  write(path: string, file: NewFile): Promise<void>;
  /** Makes a file that must not be there yet, readable by its owner only, to be written at its end. */
  openLog(path: string): Promise<DiskLog>;
  /** The names in a folder. */
  names(folder: string): Promise<readonly string[]>;
  /** Makes a file that must not be there yet. @returns false when it is. */
  create(path: string, text: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Waits until the disk has the folder's list of names: a rename lasts only then. */
  syncFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** A file whose first bytes are known only when all others are. */
export interface NewFile {
  readonly headBytes: number;
  readonly body: AsyncIterable<Buffer>;
  /** Called when the body has ended; of {@link headBytes} bytes. */
  readonly head: () => Buffer;
}

/** A file that only grows. */
export interface DiskLog {
  /** Writes at the end and waits until the disk has it. After a failure nobody knows how much of it is there. */
  append(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

const newLog = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** Linux waits with each write until the disk has it: one way to the kernel where a write and a sync are two. */
const syncedWrites = process.platform === 'linux' ? constants.O_DSYNC : 0;

/** The disk of the machine. */
export const nodeDisk: Disk = Object.freeze({
  async read(path: string, firstBytes?: number): Promise<Buffer | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    await using _ = closing(file);
    if (firstBytes === undefined) return file.readFile();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(firstBytes), 0, firstBytes, 0);
    return buffer.subarray(0, bytesRead);
  },
  // With callbacks, as `append`: promises of the file system cost a third more, and a journal asks for each batch.
  size(path: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      stat(path, (error, found) => {
        if (!error) resolve(found.size);
        else if (error.code === 'ENOENT') resolve(undefined);
        else reject(error);
      });
    });
  },
  async write(path: string, { headBytes, body, head }: NewFile): Promise<void> {
    const file = await open(path, 'w', 0o600);
    await using _ = closing(file);
    let at = headBytes;
    for await (const chunk of body) at = await writeAt(file, chunk, at);
    await writeAt(file, head(), 0);
    await file.sync();
  },
  async openLog(path: string): Promise<DiskLog> {
    const file = await open(path, newLog | syncedWrites, 0o600);
    let end = 0;
    return {
      async append(bytes) {
        for (let written = 0; written < bytes.length; )
          written += await writeSome(file.fd, bytes, written, end + written);
        end += bytes.length;
        if (!syncedWrites) await file.datasync();
      },
      close: () => file.close(),
    };
  },
  names: (folder: string) => readdir(folder),
  async create(path: string, text: string): Promise<boolean> {
    let file: FileHandle;
    try {
      file = await open(path, 'wx', 0o600);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
    await using _ = closing(file);
    await file.writeFile(text);
    return true;
  },
  rename,
  async syncFolder(path: string): Promise<void> {
    const folder = await open(path, 'r');
    await using _ = closing(folder);
    await folder.sync();
  },
  remove: (path: string) => rm(path, { force: true }),
} satisfies Disk);

/** `ENOSPC`, `EACCES`, …: the system's name of an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** @returns how many bytes of those behind `from` were written. */
function writeSome(descriptor: number, bytes: Buffer, from: number, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, from, bytes.length - from, at, (error, written) => {
      if (error) reject(error);
      else resolve(written);
    });
  });
}

/** @returns where the next byte goes. */
async function writeAt(file: FileHandle, bytes: Buffer, at: number): Promise<number> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
  }
  return at + bytes.length;
}

function closing(file: FileHandle): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => file.close() };
}
