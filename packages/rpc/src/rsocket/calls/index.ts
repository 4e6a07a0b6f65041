export { type RSocketCallsOptions, rsocketCalls } from './call-client.ts';
export { CallMetadata, contextMime } from './call-metadata.ts';
export { CallResponder, CallServer, type CallServerOptions } from './call-server.ts';
export { type Caller, callerOf } from './caller.ts';
export { type DataCodec, jsonCodec } from './data-codec.ts';
export { type DirectCalls, type DirectCallsOptions, directCalls } from './direct-calls.ts';
export { hasBytes } from './has-bytes.ts';
export { type LinkTarget, type RSocketConnector, type RSocketLinks, sharedConnector } from './links.ts';
export { callbacks, rsocketTransport } from './rsocket-transport.ts';
export type { Served, ServedRequest } from './served-request.ts';
export {
  callServerOf,
  type RSocketServing,
  rsocketServingOf,
  serveDirectly,
  servingCalls,
  speakRSocket,
} from './serving.ts';
export { withBytesOver } from './with-bytes.ts';
