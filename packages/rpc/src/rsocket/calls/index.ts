export { type RSocketCallsOptions, rsocketCalls } from './call-client.ts';
export { CallMetadata, contextMime } from './call-metadata.ts';
export { CallResponder, CallServer, type CallServerOptions, type ServedRequest } from './call-server.ts';
export { callerOf } from './caller.ts';
export { type DataCodec, jsonCodec } from './data-codec.ts';
export { hasBytes } from './has-bytes.ts';
export { type LinkTarget, type RSocketConnector, type RSocketLinks, sharedConnector } from './links.ts';
export { rsocketTransport } from './rsocket-transport.ts';
export { type RSocketServing, rsocketServingOf, servingCalls, speakRSocket } from './serving.ts';
