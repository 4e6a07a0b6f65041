export { type BackupFacts, type BackupParts, backUpState, restoreState } from '../engines/backup.ts';
export { type FileStoreOptions, fileStore } from '../engines/file-store.ts';
export { MemoryEngine } from '../engines/memory-engine.ts';
export { memoryStore } from '../engines/memory-store.ts';
export { nextTurn } from '../engines/next-turn.ts';
export { type EngineUrl, type OpenEngineOptions, openLeaseEngine, parseEngineUrl } from '../engines/open-engine.ts';
export { type RegistryLimits, registryLimits } from '../lease/limits.ts';
export type { EngineListener, EngineRecord, LeaseEngine, Written } from '../shared/engine.ts';
export type { EngineState } from '../shared/shared-leases.ts';
export { statusRoutes } from '../status/routes.ts';
export type { Audience, Notice, Reader, ReaderPart } from './audience.ts';
export {
  assertMayRegister,
  assertMayReplicate,
  assertMaySpeakFor,
  assertOperator,
  type GuardedHandler,
  type GuardedRequest,
  guard,
} from './guard.ts';
export type { Operation, Said } from './operations.ts';
export type { PeerState } from './peer-state.ts';
export { createRegistry, type Registry, type RegistryOptions, type ServiceSummary } from './registry.ts';
export { type RegistryServerOptions, registryHandler, registryRoutes } from './routes.ts';
export type { Saving } from './saver.ts';
export type { RegistryStore } from './store.ts';
export { assertNameOfThisMachine, forThisMachine } from './this-machine.ts';
export {
  type Authenticate,
  assertRegistryExposure,
  basicChallenge,
  createAuthenticator,
  type Principal,
  type RegistryRole,
  type RegistryUser,
} from './users.ts';
export type { WatchEvent, Watcher } from './watch.ts';
