import { CompositeReader, writeEntry } from './composite-metadata.ts';
import { compositeMime, type MimeType, mimeType } from './mime.ts';
import type { OutBuffer } from './out-buffer.ts';
import type { Setup } from './setup.ts';

/** Entry of SETUP's metadata by which a peer says that it is one of ours, and so understands {@link drainMime}. */
export const peerMime: MimeType = mimeType('application/vnd.flotilla.peer');

/** Entry of METADATA_PUSH: who sends it takes no more requests on this connection; those in hand end. */
export const drainMime: MimeType = mimeType('application/vnd.flotilla.drain');

/** Says who we are, in SETUP. Its text is the version of what is said so. */
export const announcement = { writeTo: (out: OutBuffer): void => writeEntry(out, peerMime, '1') };

/** Says that we take no more, in METADATA_PUSH. */
export const drainNotice = { writeTo: (out: OutBuffer): void => writeEntry(out, drainMime, '') };

/** Did the peer announce itself as one of ours? */
export function isAnnounced(setup: Setup): boolean {
  if (setup.metadataMime !== compositeMime.text) return false;
  return hasEntry(setup.metadata, peerMime);
}

/** Is there an entry of this type? Metadata that cannot be read has none. */
export function hasEntry(metadata: Uint8Array, mime: MimeType): boolean {
  const reader = new CompositeReader();
  const bytes = Buffer.from(metadata.buffer, metadata.byteOffset, metadata.length);
  reader.reset(bytes, 0, bytes.length);
  try {
    while (reader.next()) if (reader.is(mime)) return true;
  } catch {
    return false;
  }
  return false;
}
