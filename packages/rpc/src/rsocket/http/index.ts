export {
  type HttpEndpointLimits,
  httpEndpointDefaults,
  httpOverRSocket,
} from './http-endpoint.ts';
export { httpMime } from './http-entry.ts';
export { type HttpServingOptions, httpResponder } from './http-responder.ts';
export { overRSocket } from './over-rsocket.ts';
