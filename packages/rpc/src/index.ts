export {
  type CallTerms,
  type Client,
  type ClientMethod,
  type ClientOptions,
  clientDefaults,
  createClient,
} from './client/client.ts';
export * from './contract/index.ts';
export { type Binding, bind, type HandlerResult, type Handlers, type OperationHandler } from './handlers.ts';
export { type OperationInfo, operationAttribute } from './operation-attribute.ts';
export type { FailArguments, OperationCall } from './operation-call.ts';
export {
  type DeclaredError,
  type PlatformError,
  type Reply,
  type ReplyError,
  type ReplyStream,
  type SafeResult,
  safe,
} from './reply.ts';
export {
  type ContractHandlerOptions,
  contractHandler,
  contractHandlerDefaults,
} from './server/contract-handler.ts';
