export {
  type HttpConnections,
  type HttpEndpointLimits,
  httpEndpointDefaults,
  httpOverRSocket,
} from './http-endpoint.ts';
export { httpMime } from './http-entry.ts';
export { type HttpServingOptions, httpResponder } from './http-responder.ts';
