import { beginEntry, CompositeReader, endEntry } from '../composite-metadata.ts';
import { readU24 } from '../frame.ts';
import { type MimeType, mimeType } from '../mime.ts';
import type { OutBuffer } from '../out-buffer.ts';
import type { PayloadView } from '../payload-view.ts';

/** The type of the metadata entry in which the head of a request or of an answer travels. */
export const httpMime: MimeType = mimeType('application/vnd.flotilla.http');

/** Writes the entry. @param text of `writeRequest` or `writeAnswer` */
export function writeHttpEntry(out: OutBuffer, text: string): void {
  const begun = beginEntry(out, httpMime);
  out.text(text);
  endEntry(out, begun);
}

/** One for all: it is done with before anybody else can want it. */
const reader = new CompositeReader();

/**
 * The text of the entry in a message's metadata; undefined without one. Of several the first counts: whoever looks at the
 * message sees the same one.
 * @throws FlotillaError MALFORMED_REQUEST for metadata that cannot be read
 */
export function readHttpEntry(payload: PayloadView): string | undefined {
  if (!payload.hasMetadata) return undefined;
  const { bytes, metadataStart, metadataEnd } = payload;
  if (isOnlyEntry(bytes, metadataStart, metadataEnd)) {
    return bytes.toString('utf8', metadataStart + entryHead.length + 3, metadataEnd);
  }
  reader.reset(payload.bytes, payload.metadataStart, payload.metadataEnd);
  while (reader.next()) if (reader.is(httpMime)) return reader.text();
  return undefined;
}

/** How an entry of this type begins, before its length. */
const entryHead = Uint8Array.of(httpMime.bytes.length - 1, ...httpMime.bytes);

/** Is this entry all there is? Peers of ours write no other: then nothing has to be looked for. */
function isOnlyEntry(bytes: Uint8Array, start: number, end: number): boolean {
  const lengthAt = start + entryHead.length;
  const contentAt = lengthAt + 3;
  if (contentAt > end || contentAt + readU24(bytes, lengthAt) !== end) return false;
  for (let i = 0; i < entryHead.length; i++) if (bytes[start + i] !== entryHead[i]) return false;
  return true;
}
