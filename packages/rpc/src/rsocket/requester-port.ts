import type { FlotillaError } from '@flotilla/core';
import type { PayloadView } from './payload-view.ts';

/**
 * Takes the answer to a request: items, then exactly one of {@link complete}, {@link error} and {@link failed}. After
 * a cancel it hears nothing.
 */
export interface RSocketReceiver {
  /** An item, in place (see {@link PayloadView}). */
  next(payload: PayloadView): void;
  /** The answer is whole. Without an item before: it is empty. */
  complete(): void;
  /** The peer answered with an ERROR frame; `errorOfFrame` makes an error of it. */
  error(code: number, text: string): void;
  /** There is no answer: connection lost, limits exceeded. `executed` says what is known. */
  failed(error: FlotillaError): void;
  /** Of a channel: the peer takes `n` more items. */
  requested?(n: number): void;
  /** Of a channel: the peer wants no more items. Its answer goes on. */
  inputCancelled?(): void;
}
