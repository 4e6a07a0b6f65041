export type { AppliedTable } from './applied-table.ts';
export { type Authenticate, type Principal, principalAttribute } from './authenticate.ts';
export { outsideCalls } from './calls.ts';
export type { RouteMistake } from './document/mistakes.ts';
export { checkRoutes, readRoutes } from './document/read.ts';
export { formatUpstream } from './document/upstream.ts';
export { createLastGoodFile } from './engines/last-good-file.ts';
export type { DeveloperView } from './error/developer-view.ts';
export { refusalPage } from './error/present.ts';
export type { ExplainRequest, Explanation, Verdict } from './explain.ts';
export type { Gateway, GatewayOptions } from './gateway.ts';
export type { InstanceAddressOptions } from './instance-addresses.ts';
export { outsideProblem } from './outside-problem.ts';
export type { RouteCounts } from './route.ts';
export {
  documentLimits,
  type Field,
  type FilterDefinition,
  filterDefaults,
  type RouteAuth,
  type RouteDefinition,
  type RouteDocument,
  routeDefaults,
  type Upstream,
  type WebSocketDefinition,
  webSocketDefaults,
} from './route-document.ts';
export type { RouteView } from './route-view.ts';
export { createGateway } from './routing-gateway.ts';
export {
  type UpstreamBreaker,
  type UpstreamBulkhead,
  type UpstreamSettings,
  type UpstreamsSettings,
  upstreamPolicies,
} from './upstream-policies.ts';
export { type LastGoodRoutes, type RouteWatch, type WatchRoutesOptions, watchRoutes } from './watch-routes.ts';
