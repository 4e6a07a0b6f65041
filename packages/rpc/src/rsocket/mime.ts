/** A MIME type as metadata entries name it: by a number of one byte where it has one, else by its text. */
export interface MimeType {
  readonly text: string;
  /** Of the well-known ones. */
  readonly id: number | undefined;
  /** The text, ready to be compared and written. */
  readonly bytes: Uint8Array;
}

/** Source: https://github.com/rsocket/rsocket/blob/master/Extensions/WellKnownMimeTypes.md; those that are used here. */
const wellKnown: Readonly<Record<string, number>> = Object.freeze({
  'application/cbor': 0x01,
  'application/json': 0x05,
  'application/octet-stream': 0x06,
  'text/plain': 0x21,
  'message/x.rsocket.mime-type.v0': 0x7a,
  'message/x.rsocket.accept-mime-types.v0': 0x7b,
  'message/x.rsocket.authentication.v0': 0x7c,
  'message/x.rsocket.tracing-zipkin.v0': 0x7d,
  'message/x.rsocket.routing.v0': 0x7e,
  'message/x.rsocket.composite-metadata.v0': 0x7f,
});

/** @throws RangeError for a text that no entry can name: 1 to 128 ASCII characters */
export function mimeType(text: string): MimeType {
  if (!/^[\x20-\x7e]{1,128}$/.test(text)) {
    throw new RangeError(`a MIME type of a metadata entry has 1 to 128 ASCII characters, got "${text}"`);
  }
  const id = Object.hasOwn(wellKnown, text) ? wellKnown[text] : undefined;
  return Object.freeze({ text, id, bytes: Buffer.from(text, 'latin1') });
}

export const compositeMime: MimeType = mimeType('message/x.rsocket.composite-metadata.v0');
export const routingMime: MimeType = mimeType('message/x.rsocket.routing.v0');
export const jsonMime: MimeType = mimeType('application/json');
export const cborMime: MimeType = mimeType('application/cbor');
export const octetStreamMime: MimeType = mimeType('application/octet-stream');

/** @returns the text of a well-known number; undefined for one that is not known here */
export function wellKnownMime(id: number): string | undefined {
  return names.get(id);
}

const names: ReadonlyMap<number, string> = new Map(Object.entries(wellKnown).map(([text, id]) => [id, text]));
