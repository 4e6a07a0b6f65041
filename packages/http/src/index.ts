export { answerFailure } from './answer-failure.ts';
export { type BodyLimit, bodyStream, isRepeatable, limitBody, readBody, releaseStream } from './body.ts';
export { readContext, writeContext } from './context-headers.ts';
export {
  checkedIdempotencyKey,
  formatAttempt,
  longestTimeoutMs,
  readAttempt,
  readIdempotencyKey,
  readTracestate,
  tellableTimeoutMs,
} from './context-rules.ts';
export { formatSetCookie, parseCookies, type SetCookie } from './cookies.ts';
export { CountedEndpoint, type Sender } from './engines/counted-endpoint.ts';
export { dispose as leaveBody } from './engines/pump.ts';
export {
  decodeEvents,
  type EventStreamOptions,
  type EventToSend,
  encodeComment,
  encodeEvent,
  eventStreamMediaType,
  type ServerSentEvent,
} from './event-stream.ts';
export type {
  CallMaker,
  HttpBody,
  HttpHandler,
  HttpRequest,
  HttpResponse,
  Peer,
  PeerCertificate,
  Upgrade,
} from './exchange.ts';
export { isFieldName, isFieldValue, quoted } from './field-grammar.ts';
export { safeFileName } from './file-name.ts';
export { encodeForm, type FormPairs, formMediaType, parseForm, tooManyFields } from './form.ts';
export { addForwarded, clientAddress, type ForwardedBy, type ForwardedField } from './forwarded.ts';
export {
  type HopByHopOptions,
  isHopByHop,
  isUntrusted,
  removeHopByHop,
  removeUntrusted,
  type UntrustedOptions,
} from './header-rules.ts';
export { HttpHeaders } from './headers.ts';
export { type IncomingContext, incomingCall, peerSpanAttribute } from './incoming-call.ts';
export { formatAddress, parseAddress } from './ip-address.ts';
export { type IpNetwork, inNetwork, parseNetwork, parseTrustedProxies, type TrustedProxies } from './ip-network.ts';
export { jsonLimits, parseJson, parseJsonText } from './json.ts';
export { isLoopback } from './loopback.ts';
export { acceptsMediaType, type MediaType, parseMediaType } from './media-type.ts';
export { contextPathKey, mountAt, readContextPath } from './mount.ts';
export {
  boundaryOf,
  type MultipartLimits,
  MultipartReader,
  multipartMediaType,
  type Part,
} from './multipart.ts';
export { type MultipartToSend, multipartBody, type PartToSend } from './multipart-body.ts';
export { decodeLines, encodeLine, type LineOptions, ndjsonMediaType } from './ndjson.ts';
export type { Bind, HttpListener, HttpNetwork, HttpTarget } from './network.ts';
export {
  type PathOptions,
  parsePath,
  pathFromSegments,
  pathFromText,
  type RequestPath,
  rootPath,
  stripSegments,
} from './path.ts';
export { type PathPattern, type PatternPiece, parsePattern, patternParams } from './pattern.ts';
export { errorFromResponse, problemResponse } from './problem-response.ts';
export { type AnswerNow, answeringNow, answerNowOf, type PromptContext } from './prompt.ts';
export { queryParameter, queryParameters } from './query.ts';
export type { RouteSpec } from './route-spec.ts';
export { compileRoutes, type RoutedRequest, type RouteMatch, type RouteTable } from './routes.ts';
export { paramsAttribute, patternAttribute, routesHandler } from './routes-handler.ts';
export type { TlsOptions } from './tls.ts';
export {
  askUtilisation,
  readUtilisation,
  tellUtilisation,
  type UtilisationListener,
  utilisationField,
} from './utilisation-field.ts';
export { checkWebSocketRequest, webSocketAccept, webSocketFields } from './websocket-handshake.ts';
