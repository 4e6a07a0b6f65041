export { BytePair, type Transit } from './byte-pair.ts';
export { MemoryRSocket, type MemoryRSocketListener } from './memory-rsocket.ts';
