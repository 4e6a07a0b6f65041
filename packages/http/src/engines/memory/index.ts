export type { Fault } from './link.ts';
export { type MemoryNetwork, type MemoryNetworkOptions, memoryNetwork } from './memory-network.ts';
