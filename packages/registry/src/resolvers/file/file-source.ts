import { type Call, FlotillaError, type Instance } from '@flotilla/core';
import { Contact } from '../contact.ts';
import type { SourceLog } from '../log.ts';
import { Loop, type Moment } from '../loop.ts';
import { type Readable, reasonOf } from '../readable.ts';
import type { Following, Source, SourceListener, Wanted } from '../source.ts';
import type { FilePort } from './file-port.ts';
import { readServices } from './read-services.ts';

/** What a {@link FileSource} needs. */
export interface FileSourceParts extends Moment {
  readonly file: FilePort;
  readonly parse: (text: string) => unknown;
  readonly log: SourceLog;
  readonly maxFileBytes: number;
  readonly settleMs: number;
  readonly pollEveryMs: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * One file for everybody who follows something in it.
 *
 * | state | does | exits |
 * |---|---|---|
 * | nothing read | takes the first file that can be read | calm |
 * | calm | looks when the folder changed, and every `pollEveryMs` | other bytes → settling |
 * | settling | reads again after `settleMs` | the same bytes twice → they count → calm |
 *
 * So a file that is being written is not taken, also when what is there of it would be a document. One that cannot be used
 * is said, and the last good one stays true.
 */
export class FileSource implements Source {
  readonly #parts: FileSourceParts;
  readonly #contact: Contact;
  readonly #listeners = new Map<SourceListener, Wanted>();
  #loop: Loop | undefined;
  #unwatch = (): void => {};
  /** The bytes that were looked at last, and whether they count. */
  #seen: { readonly bytes: Uint8Array; readonly counts: boolean } | undefined;
  #listed: Readable | undefined;
  #fault = '';

  constructor(parts: FileSourceParts) {
    this.#parts = parts;
    this.#contact = new Contact(parts.log);
  }

  follow(wanted: Wanted, listener: SourceListener): Following {
    this.#listeners.set(listener, wanted);
    if (this.#listed) tell(this.#listed, wanted, listener);
    this.#loop ??= this.#begin();
    return {
      close: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this.#end();
      },
    };
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#end();
  }

  #begin(): Loop {
    const loop = new Loop(this.#parts, {
      step: (call) => this.#look(call),
      failed: (thrown) => this.#contact.failed(thrown),
    });
    this.#unwatch = this.#parts.file.watch(() => {
      // While it settles nothing shortens the pause: a writer that goes on must be seen to go on.
      if (!this.#seen || this.#seen.counts) loop.wake();
    });
    return loop;
  }

  #end(): void {
    this.#unwatch();
    this.#unwatch = () => {};
    this.#loop?.close();
    this.#loop = undefined;
    this.#seen = undefined;
    this.#listed = undefined;
  }

  async #look(call: Call): Promise<number> {
    const { file, maxFileBytes, settleMs, pollEveryMs } = this.#parts;
    const bytes = await file.read(maxFileBytes);
    if (call.cancelled) return 0;
    this.#contact.worked();
    const same = this.#seen !== undefined && Buffer.compare(this.#seen.bytes, bytes) === 0;
    if (same && this.#seen?.counts) return pollEveryMs;
    const counts = same || !this.#listed;
    this.#seen = { bytes, counts: same };
    if (counts) this.#take(bytes);
    return same ? pollEveryMs : settleMs;
  }

  #take(bytes: Uint8Array): void {
    try {
      this.#listed = readServices(this.#parts.parse(utf8.decode(bytes)));
    } catch (thrown) {
      const reason = thrown instanceof FlotillaError ? reasonOf(thrown) : `it cannot be read: ${String(thrown)}`;
      if (this.#fault !== reason) this.#parts.log.unusable({ reason });
      this.#fault = reason;
      return;
    }
    if (this.#fault !== '') this.#parts.log.usable();
    this.#fault = '';
    for (const [listener, wanted] of this.#listeners) tell(this.#listed, wanted, listener);
  }
}

/** Somebody wrote that file: what it no longer lists is gone. */
function tell({ instances, leftOut }: Readable, wanted: Wanted, listener: SourceListener): void {
  listener.leftOut(leftOut);
  listener.list(
    instances.filter((instance) => matches(instance, wanted)),
    true,
  );
}

function matches({ identity, contracts }: Instance, wanted: Wanted): boolean {
  return 'service' in wanted
    ? identity.service === wanted.service
    : contracts.some(({ name }) => name === wanted.contract);
}
