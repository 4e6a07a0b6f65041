export { type AuditFileOptions, auditFile, verifyAuditLines } from '../engines/audit-file.ts';
export { type BackupFacts, type BackupParts, backUpState, restoreState } from '../engines/backup.ts';
export { type FileStoreOptions, fileStore } from '../engines/file-store.ts';
export { MemoryEngine } from '../engines/memory-engine.ts';
export { memoryStore } from '../engines/memory-store.ts';
export { nextTurn } from '../engines/next-turn.ts';
export { type EngineUrl, type OpenEngineOptions, openLeaseEngine, parseEngineUrl } from '../engines/open-engine.ts';
export { type SocketDialerOptions, socketDialer } from '../engines/socket-dialer.ts';
export { type RegistryLimits, registryLimits } from '../lease/limits.ts';
export type { EngineListener, EngineRecord, LeaseEngine, Written } from '../shared/engine.ts';
export type { EngineState } from '../shared/shared-leases.ts';
export { statusRoutes } from '../status/routes.ts';
export { Access, type AccessOptions, createAccess } from './access.ts';
export { acknowledge, unsyncedField } from './acknowledge.ts';
export { AddressRules } from './address-rules.ts';
export type { Audience, Notice, Reader, ReaderPart } from './audience.ts';
export { type AuditEntry, type AuditOptions, type AuditSink, AuditTrail, type Deed } from './audit.ts';
export { type ClientLimits, ClientMeter, clientLimits, type RequestKind } from './client-limits.ts';
export {
  type AddressProblem,
  DialBack,
  type DialBackOptions,
  type Dialer,
  type Dialled,
  explain,
} from './dial-back.ts';
export {
  assertMayRegister,
  assertMayReplicate,
  assertMaySpeakFor,
  assertOperator,
  type GuardedHandler,
  type GuardedRequest,
  type GuardOptions,
  guard,
  guardNow,
  mayTouch,
  type PromptGuarded,
  type PromptRequest,
} from './guard.ts';
export type { Operation, Said, Speaker } from './operations.ts';
export type { PeerState } from './peer-state.ts';
export type { Principal, RegistryRole } from './principal.ts';
export type { Rate } from './rate-table.ts';
export { createRegistry, type Registry, type RegistryOptions, type ServiceSummary } from './registry.ts';
export { accessOf, type RegistryServerOptions, registryHandler, registryRoutes } from './routes.ts';
export type { Saving } from './saver.ts';
export type { RegistryStore } from './store.ts';
export { assertNameOfThisMachine, forThisMachine } from './this-machine.ts';
export {
  type Authenticate,
  assertRegistryExposure,
  basicChallenge,
  createAuthenticator,
  type Exposure,
  type RegistryToken,
  type RegistryUser,
  type StrangerOptions,
} from './users.ts';
export type { WatchEvent, Watcher } from './watch.ts';
