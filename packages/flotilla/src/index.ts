export {
  type ConfigSchema,
  flag,
  group,
  integer,
  list,
  map,
  number,
  oneOf,
  type Settings,
  secret,
  settings,
  text,
  url,
} from '@flotilla/config';
export { Call, currentCall, type Filter, FlotillaError, type Handler, Secret, sleep } from '@flotilla/core';
export { type HttpHandler, HttpHeaders, type HttpRequest, type HttpResponse, paramsAttribute } from '@flotilla/http';
export { freshAttribute } from '@flotilla/resilience';
export {
  bind,
  type Client,
  type Handlers,
  type OpenApi,
  type OperationCall,
  openApiOf,
  type Reply,
  safe,
} from '@flotilla/rpc';
export { callerOf } from '@flotilla/rpc/rsocket';
export { type App, type FilterMaker, type ServiceOptions, service } from './app.ts';
export {
  type ClientRuntime,
  type ConnectedClient,
  callFilters,
  connectClient,
  connectionFilters,
  forgetAnswers,
  plainTransport,
  typedCalls,
} from './client.ts';
export type { ClientOptions, ContractClientOptions } from './client-options.ts';
export { connectDiscovery } from './discovery/connect.ts';
export type { Discovery, DiscoveryNeeds } from './discovery/discovery.ts';
export { type FastNetwork, fastNetwork } from './engines/fast-network.ts';
export { join, type Member } from './engines/join.ts';
export { runProcess } from './engines/process/process.ts';
export { loadProcessConfig, type ProcessSources } from './engines/process/process-config.ts';
export type { ProcessParts, ProcessRuntime, ProcessSpec } from './engines/process/process-spec.ts';
export { run } from './engines/run.ts';
export { keepObjectsYoung } from './engines/young-objects.ts';
export type { Fallback, Fallbacks } from './fallbacks.ts';
export type { FleetFetch } from './fetch/fetch.ts';
export type { FetchInit } from './fetch/request.ts';
export { type ContractTexts, textsOf, textsOfInstances } from './generic/contract-texts.ts';
export { type GenericClient, genericClient } from './generic/generic-client.ts';
export { GenericOperation } from './generic/generic-operation.ts';
export { type GenericClientNeeds, genericClientDefaults } from './generic/needs.ts';
export type { JoinOptions } from './join/options.ts';
export { type HealthConfig, type JoinConfig, joinSettings } from './join/settings.ts';
export { lastKnownHealth } from './last-known-health.ts';
export {
  type PlatformConfig,
  type ProcessConfig,
  processSettings,
  type ServiceConfig,
  type SettingsOf,
  serviceSchema,
  serviceSettings,
} from './platform-settings.ts';
export { policiesOf } from './process-policies.ts';
export type { RepeatOptions } from './repeated-work.ts';
export { type ServiceParts, serviceParts } from './start/service-parts.ts';
export type { ServiceRuntime } from './start/service-runtime.ts';
export { configSchemaOf, type RunningService, startService } from './start/start-service.ts';
