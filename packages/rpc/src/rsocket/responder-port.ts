import type { FlotillaError } from '@flotilla/core';
import type { Sendable } from './out-buffer.ts';
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
  /** What ERROR says of a message that the engine itself refuses, as over a limit. Default: the detail of the error. */
  refusal?(error: FlotillaError): Sendable;
}
