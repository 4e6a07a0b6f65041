import type { FlotillaError } from '@flotilla/core';
import type { Sendable } from './out-buffer.ts';
import type { RSocketReceiver } from './requester-port.ts';
import type { RequesterStream } from './requester-stream.ts';

/** The other side of a connection, as it can be asked: by a client its server, by a server its client. */
export interface RSocketPeer {
  /** May a request be sent now? */
  readonly takesRequests: boolean;
  /** Own requests without an end. */
  readonly outstanding: number;
  /**
   * Asks for one answer.
   * @param data bytes longer than a fragment are not copied: they must not change until they are sent
   * @throws FlotillaError UNAVAILABLE or CONNECTION_LOST, `executed: no`, when no request can be sent
   */
  requestResponse(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    receiver: RSocketReceiver,
  ): RequesterStream;
  /** Says something that has no answer, not even an error. @throws FlotillaError as {@link requestResponse} */
  fireAndForget(metadata: Sendable | undefined, data: Sendable | undefined): void;
  /**
   * Asks for many items.
   * @param initialN how many may come before {@link RequesterStream.requestN} asks for more; `Infinity` for all
   * @throws FlotillaError as {@link requestResponse}
   */
  requestStream(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    initialN: number,
    receiver: RSocketReceiver,
  ): RequesterStream;
  /**
   * Sends many items and asks for many. `data` is the first one; further ones go when the receiver is `requested`.
   * @param isLast there is no further one. Default false
   * @throws FlotillaError as {@link requestResponse}
   */
  requestChannel(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    initialN: number,
    receiver: RSocketReceiver,
    isLast?: boolean,
  ): RequesterStream;
  /** Tells the peer something about the connection, in the metadata's format. */
  metadataPush(metadata: Sendable): void;
  /** Closes now. What is in hand ends with `reason`; the peer is told by ERROR. */
  close(reason?: FlotillaError): void;
}
