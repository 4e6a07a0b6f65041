export {
  type BodyMapping,
  type BytesBody,
  type BytesMapping,
  type BytesOptions,
  blobStream,
  bodyDefaults,
  byteStream,
  bytes,
  bytesMappingOf,
  type FormOptions,
  form,
  isByteSource,
  type JsonOptions,
  json,
  type MultipartMapping,
  type MultipartOptions,
  multipart,
  type RequestBody,
} from './bodies.ts';
export type {
  BlobLike,
  ByteSource,
  ByteStream,
  BytesAnswer,
  BytesToSend,
  Download,
  FilePart,
  FileToSend,
} from './byte-values.ts';
export { coerceText, coerceTexts, formatTexts } from './coerce.ts';
export { type AnyContract, type Contract, contract, type Operations } from './contract.ts';
export { ContractError } from './contract-error.ts';
export {
  type Declarations,
  type ErrorSpec,
  type ErrorSpecs,
  error,
  type NoData,
  type NoErrors,
} from './declared-error.ts';
export {
  type ContractDescription,
  describeContracts,
  inputFromTexts,
  type OperationDescription,
} from './describe.ts';
export type { FieldPlace } from './field-places.ts';
export { canonicalJson, contractHash, contractText } from './fingerprint.ts';
export {
  type Coercions,
  del,
  get,
  type HttpBinding,
  type HttpMethod,
  type HttpOptions,
  patch,
  post,
  put,
  type SetCookie,
  type TextType,
} from './http-binding.ts';
export type { Json, JsonOutput } from './json-output.ts';
export { defaultBinding, type HttpMapping, isTextBody } from './mapping.ts';
export { concreteTypes } from './media-range.ts';
export {
  type AnyOperation,
  type Cardinality,
  type CommandSpec,
  command,
  type DuplexSpec,
  duplex,
  type Joined,
  type NotificationSpec,
  type NotifySpec,
  notify,
  type Operation,
  type OperationKind,
  operationKinds,
  type QuerySpec,
  query,
  type StreamSpec,
  stream,
  type UploadSpec,
  upload,
} from './operation.ts';
export { addressShape, fillTemplate, type PathTemplate, parametersOf, parseTemplate } from './path-template.ts';
export { platformCodes } from './platform-codes.ts';
export { buildRequest, InputError, type RequestParts } from './request.ts';
export type { InputOf, JsonSchema, OutputOf, Schema, VoidSchema } from './schema.ts';
export type { TextScalar, TextShape } from './text-shape.ts';
