export {
  type HttpEndpointLimits,
  httpEndpointDefaults,
  httpOverRSocket,
} from './http-endpoint.ts';
export { httpMime } from './http-entry.ts';
export { httpResponder } from './http-responder.ts';
export { overRSocket } from './over-rsocket.ts';
export type { HttpServingOptions } from './serving.ts';
