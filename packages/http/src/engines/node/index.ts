export { guardedLookup } from './guarded-lookup.ts';
export { http1Tongue } from './http1.ts';
export type { Http1Options } from './http1-options.ts';
export { inheritedSockets } from './inherited-sockets.ts';
export { SocketListener, type SocketListenerOptions } from './listener.ts';
export { nodeNetwork } from './node-network.ts';
export {
  type HttpServing,
  type ListenerLimits,
  listenerDefaults,
  type NodeNetworkOptions,
  type PoolLimits,
  poolDefaults,
} from './options.ts';
export type { RefusalPage } from './refusal.ts';
export { contextOf as clientContext } from './tls/handshakes.ts';
export { peerOf } from './tls/peer-of.ts';
export { openTls, type TlsFiles, type TlsFilesOptions } from './tls/tls-files.ts';
export type { Tongue, TongueConnection } from './tongue.ts';
