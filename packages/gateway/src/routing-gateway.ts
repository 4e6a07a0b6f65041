import { Clusters, type PickExplanation } from '@flotilla/balance';
import {
  type Call,
  FlotillaError,
  nullLogger,
  nullMeter,
  nullTracer,
  type Outcome,
  type Span,
  type Tracer,
  toFlotillaError,
} from '@flotilla/core';
import type { HttpHandler, HttpRequest, HttpResponse } from '@flotilla/http';
import { Policies } from '@flotilla/resilience';
import { httpRequestAttributes, semanticNames } from '@flotilla/telemetry';
import { type AppliedTable, describeChange } from './applied-table.ts';
import { beginCall } from './calls.ts';
import { developerView } from './error/developer-view.ts';
import { isDeveloper, presentError } from './error/present.ts';
import { type Exchange, newExchange } from './exchange.ts';
import { type ExplainRequest, type Explanation, explain } from './explain.ts';
import { forward } from './forward.ts';
import type { Gateway, GatewayOptions } from './gateway.ts';
import { addressRules, guardCache, guardResolver, refusedOnce } from './instance-addresses.ts';
import { type GatewayLog, gatewayLog } from './log.ts';
import { LoopGuard } from './loop-guard.ts';
import { type GatewayMetrics, gatewayMetrics, noRoute, type RouteMetrics } from './metrics.ts';
import type { Route } from './route.ts';
import type { RouteDocument } from './route-document.ts';
import { type RouteView, viewRoute } from './route-view.ts';
import { Table } from './table.ts';
import { TableBuilder } from './table-builder.ts';
import { type UpstreamsSettings, upstreamPolicies } from './upstream-policies.ts';
import { Upstreams } from './upstreams.ts';
import { Sockets } from './websocket/sockets.ts';

/** A gateway without routes. It opens nothing before {@link Gateway.apply}. */
export function createGateway(options: GatewayOptions): Gateway {
  return new RoutingGateway(options);
}

/** Joins tables, exchanges and what is told of them. */
class RoutingGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #log: GatewayLog;
  readonly #metrics: GatewayMetrics;
  readonly #unrouted: RouteMetrics;
  readonly #tracer: Tracer;
  readonly #challenge: string;
  readonly #upstreams: Upstreams;
  readonly #clusters: Clusters;
  readonly #policies: Policies;
  readonly #sockets: Sockets;
  readonly #loops: LoopGuard;
  readonly #builder: TableBuilder;
  #table: Table;
  #inFlight = 0;
  #closing: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    const { network, clock, random } = options;
    const { logger = nullLogger, meter = nullMeter, tracer = nullTracer, accessLog = true } = options;
    const { maxWebSockets = 5_000, webSocketDrainMs = 30_000 } = options;
    this.#options = options;
    this.#log = gatewayLog(logger, accessLog);
    this.#metrics = gatewayMetrics(meter);
    this.#unrouted = this.#metrics.route(noRoute);
    this.#tracer = tracer;
    this.#challenge = options.challenge ?? 'Bearer';
    const { clients = {} } = options;
    this.#clusters = new Clusters(clients);
    this.#policies = options.policies ?? new Policies({ clock, meter });
    this.#policies.configure({ clients: upstreamPolicies(clients) });
    const refuse = addressRules(options);
    const refused = refusedOnce(this.#log.instanceRefused);
    const needs = {
      network,
      clock,
      random,
      logger,
      meter,
      tracer,
      refuse,
      fast: options.transport !== 'http',
      zone: options.zone,
      clusters: this.#clusters,
      policies: this.#policies,
      resolver: guardResolver(options.resolver, refuse, refused),
      cache: options.cache && guardCache(options.cache, refuse, refused),
    };
    this.#upstreams = new Upstreams(needs, (upstream, cause) => this.#log.upstreamNotClosed(upstream, cause));
    this.#loops = new LoopGuard(random);
    this.#sockets = new Sockets({ clock, log: this.#log, maxWebSockets, webSocketDrainMs });
    this.#builder = new TableBuilder(this.#upstreams, this.#metrics, meter);
    this.#table = Table.empty();
  }

  get version(): number {
    return this.#table.version;
  }

  get document(): RouteDocument {
    return this.#table.document;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  apply(document: RouteDocument): AppliedTable {
    const before = this.#table;
    const version = before.version + 1;
    try {
      if (this.#closing) throw closed();
      this.#table = this.#builder.build(version, document, before);
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      this.#metrics.reloads.refused.add();
      this.#log.refused(version, error);
      throw error;
    }
    this.#sockets.moveTo(this.#table);
    void before.retire();
    const applied = describeChange(version, before.document, document);
    this.#metrics.reloads.applied.add();
    this.#metrics.tableVersion.set(version);
    this.#log.applied(applied);
    return applied;
  }

  routes(): readonly RouteView[] {
    return this.#table.routes.map(viewRoute);
  }

  upstreams(): readonly string[] {
    return this.#upstreams.names();
  }

  explain(request: ExplainRequest): Explanation {
    return explain(this.#table, request);
  }

  configure(clients: UpstreamsSettings): void {
    this.#policies.configure({ clients: upstreamPolicies(clients) });
    this.#clusters.update(clients);
  }

  why(service: string | undefined): readonly PickExplanation[] {
    return this.#clusters.explain(service);
  }

  drainWebSockets(afterMs: number): Promise<void> {
    return this.#sockets.drain(afterMs);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    void this.#sockets.drain(0);
    await this.#table.retire();
    await this.#upstreams.settled();
  }

  readonly handler: HttpHandler = async (request, outer) => {
    const exchange = this.#enter(request, outer);
    try {
      if (this.#closing) throw closed();
      const response = await this.#serve(exchange);
      exchange.status = response.status;
      return response;
    } catch (thrown) {
      return this.#refuse(exchange, thrown);
    }
  };

  /** The table that a request enters is the one that it uses to its end, whatever is applied meanwhile. */
  #enter(request: HttpRequest, outer: Call): Exchange {
    const table = this.#table;
    const { clock, random } = this.#options;
    const { trustContext, trustPriority } = table.document;
    const continued = trustContext && table.trust.trusts(request) ? { priority: trustPriority } : undefined;
    const passed = this.#loops.marks(request);
    const call = beginCall(request, outer, continued, passed, { clock, random });
    const exchange = newExchange(request, call, outer, table, passed);
    table.enter();
    this.#metrics.inFlight.set(++this.#inFlight);
    outer.onEnd((outcome) => {
      this.#metrics.inFlight.set(--this.#inFlight);
      this.#end(exchange, outcome);
      exchange.table.leave();
    });
    return exchange;
  }

  #serve(exchange: Exchange): Promise<HttpResponse> {
    const { table, request, passed } = exchange;
    this.#loops.check(passed);
    const found = table.match(request);
    if (found.kind === 'none') throw new FlotillaError('NO_ROUTE', 'no route takes this request');
    if (found.kind === 'method') {
      exchange.refusalFields = [['allow', found.allow.join(', ')]];
      throw new FlotillaError('METHOD_NOT_ALLOWED', `no route takes ${request.method} here`);
    }
    this.#chose(exchange, found.value, found.pattern);
    return forward(exchange, found.value, found.pattern, this.#sockets, this.#options.authenticate);
  }

  #chose(exchange: Exchange, route: Route, pattern: string): void {
    exchange.route = route;
    route.counts.requests++;
    route.counts.inFlight++;
    const { request, call } = exchange;
    exchange.span = this.#tracer.start(`${request.method} ${pattern}`, 'server', call);
    const attributes = httpRequestAttributes(request);
    for (const name in attributes) exchange.span.setAttribute(name, attributes[name] as string);
    exchange.span.setAttribute(semanticNames.httpRoute, pattern);
  }

  /** Before the head of an answer every failure is an answer of ours. */
  #refuse(exchange: Exchange, thrown: unknown): HttpResponse {
    const error = toFlotillaError(thrown);
    exchange.failure = error;
    if (error.code === 'INTERNAL') this.#log.failed(exchange, error);
    if (error.code === 'UNAUTHENTICATED') exchange.refusalFields = [['www-authenticate', this.#challenge]];
    const { request, route, call } = exchange;
    const told = this.#options.developerErrors === true && isDeveloper(request);
    const response = presentError(error, {
      accept: request.headers.get('accept'),
      call,
      fields: exchange.refusalFields,
      developer: told
        ? developerView(exchange, error, route && this.#upstreams.instances(route.definition.to))
        : undefined,
    });
    exchange.status = response.status;
    return response;
  }

  #end(exchange: Exchange, outcome: Outcome): void {
    const { call, route } = exchange;
    const failure = exchange.failure ?? outcome;
    exchange.failure = failure;
    const now = call.clock.now();
    const durationMs = now - call.startedAt;
    const metrics = route?.metrics ?? this.#unrouted;
    const openedAt = exchange.socket?.openedAt;
    // Of a WebSocket its handshake is what a request is; how long it then stays open is counted apart.
    metrics.ended(exchange.status ?? failure?.httpStatus ?? 499, (openedAt ?? now) - call.startedAt);
    if (openedAt !== undefined) metrics.socketClosed(exchange.socket?.closedBy ?? 'failure', now - openedAt);
    if (failure) metrics.failed(failure.code);
    if (route) {
      route.counts.inFlight--;
      if (failure) route.counts.failures++;
    }
    endSpan(exchange.span, exchange);
    this.#log.request(exchange, durationMs);
  }
}

function endSpan(span: Span | undefined, { status, failure }: Exchange): void {
  if (status !== undefined) span?.setAttribute(semanticNames.httpStatus, status);
  span?.end(failure);
}

function closed(): FlotillaError {
  return new FlotillaError('UNAVAILABLE', 'the gateway is closed');
}
