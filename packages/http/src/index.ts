export type { CallMaker, HttpBody, HttpHandler, HttpRequest, HttpResponse, Peer } from './exchange.ts';
export { HttpHeaders } from './headers.ts';
export type { Bind, HttpListener, HttpNetwork, HttpTarget } from './network.ts';
export type { RequestPath } from './path.ts';
