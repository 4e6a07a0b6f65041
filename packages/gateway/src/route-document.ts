/** Whom a route forwards to. */
export type Upstream =
  /** Instances of a service, found by the resolver. */
  | { readonly kind: 'service'; readonly name: string }
  /** Whoever serves a contract, found by the resolver. */
  | { readonly kind: 'contract'; readonly name: string }
  /** One fixed address. */
  | { readonly kind: 'address'; readonly protocol: 'http' | 'https'; readonly host: string; readonly port: number };

/** Name and value, in the order of the document. */
export type Field = readonly [name: string, value: string];

/** One step of a route; the document's key is `kind`. The first one listed meets the request first, the response last. */
export type FilterDefinition =
  | { readonly kind: 'stripPrefix'; readonly segments: number }
  | { readonly kind: 'rewritePath'; readonly template: string }
  | { readonly kind: 'setRequestHeader'; readonly fields: readonly Field[] }
  | { readonly kind: 'removeRequestHeader'; readonly names: readonly string[] }
  | { readonly kind: 'setResponseHeader'; readonly fields: readonly Field[] }
  | { readonly kind: 'removeResponseHeader'; readonly names: readonly string[] }
  | { readonly kind: 'retry'; readonly attempts: number; readonly methods: readonly string[] }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'pickKey'; readonly from: 'header' | 'cookie'; readonly name: string }
  | { readonly kind: 'pickKey'; readonly from: 'clientAddress' }
  /** `urgency` is that of RFC 9218, 0 to 7; undefined: as it is. */
  | { readonly kind: 'context'; readonly urgency: number | undefined; readonly baggage: readonly Field[] };

/** `required`: 401 until an authenticator accepts the caller. `public`: anybody; it has to be said. */
export type RouteAuth = 'required' | 'public';

/** Who may open WebSockets on a route, and what one may cost. */
export interface WebSocketDefinition {
  /**
   * Origins of pages that may open one: `same-origin` (the page's host is the one that the request names), or
   * `https://shop.example`. Browsers apply no CORS here and send cookies along, so that otherwise any page could speak in
   * its visitor's name. `*`, only by `allowAnyOrigin`: any. A request without an origin comes from no page and passes.
   */
  readonly origins: readonly string[];
  /** Longest time without a byte in either direction; then the socket is closed. A ping counts. */
  readonly idleMs: number;
  /** Sockets that may be open on the route at once; the next one is answered 503. */
  readonly maxConnections: number;
}

/** Predicates, filters and an upstream, with every default filled in. Frozen data: nothing in it is ever evaluated. */
export interface RouteDefinition {
  /** Names the route in logs and metrics: letters, digits and `. _ -`, up to 100. */
  readonly id: string;
  /** Patterns, one of which has to match. */
  readonly paths: readonly string[];
  /** One has to match; empty: any. */
  readonly hosts: readonly string[];
  /** Upper case; empty: any. */
  readonly methods: readonly string[];
  /** All have to match; the value `*` means present. Names in lower case. */
  readonly headers: readonly Field[];
  /** All have to match; the value `*` means present. */
  readonly query: readonly Field[];
  /** The higher one is asked first. Default 0. */
  readonly priority: number;
  readonly to: Upstream;
  readonly auth: RouteAuth;
  readonly filters: readonly FilterDefinition[];
  /** Longest request body, by its declared and by its actual length. */
  readonly maxBodyBytes: number;
  /** `keep` lets an escaped slash through in a path segment. */
  readonly encodedSlash: 'refuse' | 'keep';
  /** Longest wait for the head of the answer; retries of the route included. `Infinity` is not allowed. */
  readonly headTimeoutMs: number;
  /** Longest silence while bodies flow, in both directions together. */
  readonly idleTimeoutMs: number;
  /** `false`: nobody opens a WebSocket here. */
  readonly webSocket: WebSocketDefinition | false;
}

/** A whole route document, checked. Made by `readRoutes` (YAML) or `checkRoutes` (plain data), never by hand. */
export interface RouteDocument {
  /** Networks (CIDR) whose `Forwarded` and `X-Forwarded-*` fields are believed. */
  readonly trustedProxies: readonly string[];
  /** Continue trace, baggage, priority and deadline that a trusted proxy sends. Default: a new call begins here. */
  readonly trustContext: boolean;
  /**
   * Of that context, believe also a priority above the default. Default: it counts as the default one. Browsers send
   * `priority: u=0` by themselves, and most proxies pass it on: strangers would outrank whoever calls from inside.
   */
  readonly trustPriority: boolean;
  readonly routes: readonly RouteDefinition[];
}

/** What a route has when it does not say. */
export const routeDefaults: Pick<
  RouteDefinition,
  'priority' | 'auth' | 'maxBodyBytes' | 'encodedSlash' | 'headTimeoutMs' | 'idleTimeoutMs' | 'webSocket'
> = Object.freeze({
  priority: 0,
  auth: 'required', // an open route is a decision that somebody wrote down
  maxBodyBytes: 10_485_760, // 10 MiB: room for uploads, too little to fill a memory with
  encodedSlash: 'refuse', // upstreams disagree about what `%2F` means
  headTimeoutMs: 30_000,
  idleTimeoutMs: 300_000, // above the usual heartbeats of event streams
  webSocket: false, // a long-lived way in is a decision that somebody wrote down
} as const);

/** What `webSocket: true` means. */
export const webSocketDefaults: WebSocketDefinition = Object.freeze({
  origins: Object.freeze(['same-origin']) as readonly string[],
  idleMs: 60_000, // above the usual pings, below what a forgotten tab is worth
  maxConnections: 1_000,
});

/** What the filters of a route have when they do not say. */
export const filterDefaults: { readonly retryAttempts: number; readonly retryMethods: readonly string[] } =
  Object.freeze({
    retryAttempts: 2, // the first try and one more
    retryMethods: Object.freeze(['GET', 'HEAD']) as readonly string[], // safe methods: doing them twice changes nothing
  });

/** The largest document that is accepted. */
export const documentLimits: Readonly<
  Record<'maxRoutes' | 'maxFiltersPerRoute' | 'maxListItems' | 'maxTextLength', number>
> = Object.freeze({
  maxRoutes: 10_000,
  maxFiltersPerRoute: 50,
  maxListItems: 200,
  maxTextLength: 8_192, // a header field, the longest text that a document holds
});
