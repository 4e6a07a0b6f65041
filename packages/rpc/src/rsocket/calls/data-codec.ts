import { parseJson, parseJsonText } from '@flotilla/http';
import type { Sendable } from '../out-buffer.ts';
import type { PayloadView } from '../payload-view.ts';

/** How values are written as the data of frames: what the data type of a connection's SETUP names. */
export interface DataCodec {
  readonly mime: string;
  /** Loads what it needs, when a connection names its type. @throws FlotillaError PACKAGE_MISSING */
  load?(): void;
  /**
   * The value that the data says; undefined for a message without data.
   * @param payload in place: valid only during the call
   * @throws FlotillaError MALFORMED_REQUEST
   */
  decode(payload: PayloadView): unknown;
  /** @throws TypeError for a value that it cannot say */
  encode(value: unknown): Sendable;
}

/** JSON as everywhere else: UTF-8, with limits, without names that would change a prototype. */
export const jsonCodec: DataCodec = Object.freeze({
  mime: 'application/json',
  decode(payload: PayloadView): unknown {
    if (payload.dataStart === payload.dataEnd) return undefined;
    const text = payload.dataText();
    // What is no UTF-8 was replaced: then the strict reader says so, or finds that the character was sent as it is.
    return text.includes('\ufffd') ? parseJson(payload.dataBytes()) : parseJsonText(text);
  },
  encode(value: unknown): string {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`JSON cannot hold ${typeof value}`);
    return text;
  },
});
