import { beginEntry, CompositeReader, endEntry } from '../composite-metadata.ts';
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
  reader.reset(payload.bytes, payload.metadataStart, payload.metadataEnd);
  while (reader.next()) if (reader.is(httpMime)) return reader.text();
  return undefined;
}
