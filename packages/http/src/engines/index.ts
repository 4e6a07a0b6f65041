/** What an engine of the port `HttpNetwork` is made of, for engines in other packages: `@flotilla/http/engine`. */
export { answerNowOf } from '../prompt.ts';
export { answer, answeredNow, answerTo, type FailureListener } from './answer.ts';
export { CheckedBody } from './checked-body.ts';
export { ChunkQueue, type ChunkQueueEvents } from './chunk-queue.ts';
export { CountedEndpoint, type Sender } from './counted-endpoint.ts';
export { hasNoBody, isAuthority, outgoingRequestHeaders, outgoingResponse } from './messages.ts';
export { BodyPace } from './node/body-pace.ts';
export { isMethod } from './node/parser/methods.ts';
export { checkMethod, type RequestTarget, readTarget } from './node/request-head.ts';
export { dispose, Pump, type PumpTarget } from './pump.ts';
