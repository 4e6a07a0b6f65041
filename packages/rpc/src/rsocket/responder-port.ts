import type { FlotillaError } from '@flotilla/core';
import type { PayloadView } from './payload-view.ts';
import type { ResponderStream } from './responder-stream.ts';

/**
 * Answers the peer's requests. Each method is called with the request in place (see {@link PayloadView}) and with the
 * stream to answer on, at once or later. A method that is missing refuses its kind of request. One that throws
 * answers with the error it threw.
 */
export interface RSocketResponder {
  requestResponse?(request: PayloadView, stream: ResponderStream): void;
  fireAndForget?(request: PayloadView): void;
  /** {@link ResponderStream.credit} is the initial demand. */
  requestStream?(request: PayloadView, stream: ResponderStream): void;
  /** The request is the first item; further ones come once {@link ResponderStream.requestN} asks for them. */
  requestChannel?(request: PayloadView, stream: ResponderStream): void;
}

/** What the handler of a request wants to hear; set as {@link ResponderStream.listener}. */
export interface ResponderListener {
  /** Nobody wants the answer any more: by CANCEL, or because the connection is over. Nothing follows. */
  cancelled?(reason: FlotillaError): void;
  /** The requester takes `n` more items. */
  requested?(n: number): void;
  /** Of a channel: the next item from the requester. */
  next?(item: PayloadView): void;
  /** Of a channel: the requester has no more items. The answer goes on. */
  completed?(): void;
  /** Of a channel: the requester failed, which ends both directions. */
  failed?(code: number, text: string): void;
}
