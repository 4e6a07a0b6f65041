import { readUtilisation } from '@flotilla/http';
import { CompositeReader, writeEntry } from '../composite-metadata.ts';
import { type MimeType, mimeType } from '../mime.ts';
import type { OutBuffer } from '../out-buffer.ts';
import type { RSocketPeer } from '../peer.ts';

/** Entry of METADATA_PUSH: how busy the event loop of its sender is, as the field `flotilla-utilisation` says it. */
const utilisationMime: MimeType = mimeType('application/vnd.flotilla.utilisation');

/** Between two notices on one connection, in milliseconds: far below the time in which what is said fades. */
const everyMs = 250;

/**
 * Tells the peer of one connection how busy this process is, now and then while it asks for anything. Without a timer, and
 * without a byte in any answer: what is said is true of the process, not of a call.
 */
export class UtilisationNotices {
  readonly #peer: RSocketPeer;
  readonly #read: () => number;
  #toldAt = -Infinity;

  /** @param read 0 to 1 */
  constructor(peer: RSocketPeer, read: () => number) {
    this.#peer = peer;
    this.#read = read;
  }

  /** A request has come. */
  asked(now: number): void {
    if (now - this.#toldAt < everyMs) return;
    this.#toldAt = now;
    const text = this.#read().toFixed(3);
    this.#peer.metadataPush({ writeTo: (out: OutBuffer): void => writeEntry(out, utilisationMime, text) });
  }
}

const reader = new CompositeReader();

/** What a peer says in METADATA_PUSH; undefined for anything else, also for what cannot be read. */
export function readUtilisationPush(metadata: Buffer): number | undefined {
  reader.reset(metadata, 0, metadata.length);
  try {
    while (reader.next()) if (reader.is(utilisationMime)) return readUtilisation(reader.text());
  } catch {
    return undefined;
  }
  return undefined;
}
