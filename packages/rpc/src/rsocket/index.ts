export { announcement, drainMime, drainNotice, peerMime } from './announcement.ts';
export type { ByteChannel, ByteListener } from './byte-channel.ts';
export * from './calls/index.ts';
export { beginEntry, CompositeReader, endEntry, routingEntry, writeEntry } from './composite-metadata.ts';
export { type ConnectionState, RSocketConnection } from './connection.ts';
export {
  type ClientConnectionOptions,
  type ConnectionEvents,
  type ConnectionOptions,
  type ServerConnectionOptions,
  type SetupOptions,
  setupDefaults,
} from './connection-options.ts';
export {
  Inbound,
  type InboundOptions,
  type InboundSource,
  inboundDefaults,
  Outbound,
  type OutboundOptions,
  type OutboundTarget,
} from './flow.ts';
export { frameFlag, frameType, rsocketError } from './frame.ts';
export * from './http/index.ts';
export type { LeaseHolder, LeaseSource } from './leases.ts';
export { type RSocketLimits, resolveRSocketLimits, rsocketDefaults } from './limits.ts';
export {
  cborMime,
  compositeMime,
  jsonMime,
  type MimeType,
  mimeType,
  octetStreamMime,
  routingMime,
} from './mime.ts';
export { type ByteSource, OutBuffer, type Sendable } from './out-buffer.ts';
export { PayloadView } from './payload-view.ts';
export type { RSocketPeer } from './peer.ts';
export type { RSocketReceiver } from './requester-port.ts';
export type { RequesterStream } from './requester-stream.ts';
export type { RSocketResponder } from './responder-port.ts';
export type { ResponderListener, ResponderStream } from './responder-stream.ts';
export type { Setup } from './setup.ts';
export { errorOfFrame, rsocketCodeOf } from './wire-errors.ts';
