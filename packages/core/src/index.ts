export { CallScope, currentCall, enterCall, runInCall } from './ambient.ts';
export { type Baggage, baggageLimits, emptyBaggage, formatBaggage, parseBaggage, tenantKey } from './baggage.ts';
export {
  type Attribute,
  attribute,
  Call,
  type CallOptions,
  type Cancellable,
  type ChildOptions,
  type EndWatcher,
  type InnerCallOptions,
  type Outcome,
  SharedAttributes,
  sleep,
  type ToldAnswer,
  within,
} from './call.ts';
export { assertDuration, type Clock, type Random, resolveDurations, type Timer } from './clock.ts';
export { type DeadlineEntry, DeadlineWheel, wheelOf } from './deadline-wheel.ts';
export { systemClock, systemRandom } from './engines/system-clock.ts';
export {
  type ErrorCode,
  type ErrorDetails,
  type ErrorRow,
  type Executed,
  errorRow,
  errorTable,
  FlotillaError,
  toFlotillaError,
} from './errors.ts';
export { composeReady, type Gate, gateFilter, type ReadyHandler } from './gate.ts';
export {
  begin,
  compose,
  composeEndpoint,
  type Endpoint,
  type EndpointStatus,
  type Filter,
  type Handler,
} from './handler.ts';
export { idempotentAttribute } from './idempotent.ts';
export {
  defaultGroup,
  defaultNamespace,
  formatIdentity,
  type Identity,
  identity,
  parseIdentity,
} from './identity.ts';
export {
  type Address,
  addressFor,
  type ContractDocument,
  type ContractRef,
  effectiveStatus,
  formatHostPort,
  type Instance,
  type InstanceStatus,
  instanceStatuses,
  type Json,
  type LeaseTerms,
  leaseDefaults,
  speaksRSocket,
} from './instance.ts';
export {
  checkId,
  escapedPrefix,
  type InstanceFacts,
  isHost,
  isNoteName,
  isProtocol,
  noteLimit,
  notePrefix,
  readNotes,
  readOwn,
  writeNotes,
  writeOwn,
} from './instance-notes.ts';
export { asOneInstant, instantOf } from './instant.ts';
export { Backoff, type BackoffBounds, backoffAfterMs, backoffDefaults, jittered } from './keeper/backoff.ts';
export {
  type KeeperLog,
  type KeeperTimes,
  type KeptNames,
  type KeptParts,
  type KeptRegistrar,
  keptRegistrar,
} from './keeper/lease-keeper.ts';
export type { Place, PlaceOf, PutAnswer, RenewAnswer } from './keeper/place.ts';
export { LatestMap } from './latest-map.ts';
export {
  type Component,
  type ProcessPort,
  type Running,
  type SupervisionOptions,
  startAll,
  superviseProcess,
} from './lifecycle.ts';
export { nearest } from './nearest.ts';
export { minimumNodeVersion, nodeVersionProblem } from './node-version.ts';
export { type LogFields, type Logger, type LogLevel, nullLogger } from './ports/logger.ts';
export {
  type Counter,
  type Family,
  type Gauge,
  type Histogram,
  type Labels,
  type Meter,
  type MetricSpec,
  nullMeter,
} from './ports/meter.ts';
export type { Store, StoreChange, StoreCount, StoreStep, StoreSwap } from './ports/store.ts';
export { nullTracer, type Span, type SpanKind, type Tracer } from './ports/tracer.ts';
export { defaultUrgency, type PriorityClass, priorityClass } from './priority.ts';
export { fromProblem, type Problem, problemMediaType, toProblem } from './problem.ts';
export { raceAttribute } from './race.ts';
export {
  formatTarget,
  type InstanceSet,
  type Registrar,
  type Registration,
  type Resolver,
  type Target,
  type Watch,
} from './resolver.ts';
export { Secret } from './secret.ts';
export {
  childTrace,
  formatTraceparent,
  newTrace,
  parseTraceparent,
  readTraceparent,
  type TraceContext,
} from './trace.ts';
