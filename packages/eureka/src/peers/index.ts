export { type PeersOptions, type PeerTimes, peerDefaults } from './options.ts';
export { createPeers, type Peers } from './peers.ts';
