export {
  type AnyBatchRule,
  type BatchedItem,
  type BatchPlan,
  type BatchRule,
  type BatchRules,
  batchPlan,
} from './client/batch-rule.ts';
export { type Client, type ClientMethod, createClient } from './client/client.ts';
export { type HttpCallsOptions, httpCalls, httpCallsDefaults, httpTransport } from './client/http/http-calls.ts';
export { groupKey, keyPrefix, operationKey } from './client/operation-key.ts';
export {
  type CalledOperation,
  calledOperations,
  type OperationRequest,
  type OperationResponse,
  sendsMany,
} from './client/operation-request.ts';
export type { CallTerms, ClientOptions } from './client/options.ts';
export { isRepeatableInput } from './client/repeatable-input.ts';
export type { RpcTarget, RpcTransport } from './client/transport.ts';
export {
  type CarriedContext,
  contextLimits,
  contextMediaType,
  foreignContext,
  formatContext,
  formatContract,
  parseContext,
} from './context/context-entry.ts';
export * from './contract/index.ts';
export { checkJson, type JsonMistake } from './generic/check-json.ts';
export { contractFrom } from './generic/contract-from.ts';
export { validateInput } from './generic/validate-input.ts';
export { type Binding, bind, type HandlerResult, type Handlers, type OperationHandler } from './handlers.ts';
export { type OpenApi, type OpenApiInfo, openApiMediaType, openApiOf } from './openapi/document.ts';
export { type OperationInfo, operationAttribute } from './operation-attribute.ts';
export type { FailArguments, OperationCall } from './operation-call.ts';
export { printValue } from './print-value.ts';
export {
  type DeclaredError,
  type PlatformError,
  type Reply,
  type ReplyError,
  type ReplyStream,
  type SafeResult,
  safe,
} from './reply.ts';
export { contractHandler } from './server/contract-handler.ts';
export {
  type ContractHandlerOptions,
  contractHandlerDefaults,
  type ProtectedOperation,
  type ProtectOperation,
} from './server/options.ts';
export type { RememberedOperation, RememberOperation } from './server/remember.ts';
export { answeredErrorAttribute } from './server/served-operation.ts';
export { problemMember } from './stream-problem.ts';
