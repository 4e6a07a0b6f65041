export {
  RSocketClient,
  type RSocketClientLimits,
  type RSocketClientOptions,
  rsocketClientDefaults,
} from './client.ts';
export { nodeConnector } from './connector.ts';
export { httpTongue } from './http-tongue.ts';
export { SocketChannel } from './socket-channel.ts';
export { type RSocketTongueOptions, rsocketTongue, type Served } from './tongue.ts';
