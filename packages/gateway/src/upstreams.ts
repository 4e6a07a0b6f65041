import { type Clusters, createCluster, type InstanceView, judgeByStatus, type LiveSetCache } from '@flotilla/balance';
import {
  type Clock,
  composeEndpoint,
  type Endpoint,
  type Logger,
  type Meter,
  type Random,
  type Resolver,
  speaksRSocket,
  type Tracer,
} from '@flotilla/core';
import { askUtilisation, type HttpNetwork, type HttpRequest, type HttpResponse, mountAt } from '@flotilla/http';
import { createRetryBudget, type Policies } from '@flotilla/resilience';
import { formatUpstream } from './document/upstream.ts';
import type { HttpFilter } from './filters/http-filter.ts';
import type { RefuseAddress } from './instance-addresses.ts';
import type { Upstream } from './route-document.ts';
import { TryElsewhere } from './try-elsewhere.ts';
import { UpstreamAddress } from './upstream-address.ts';
import { upstreamCalls, upstreamCode } from './upstream-policies.ts';

/** What upstreams are made of. */
export interface UpstreamNeeds {
  readonly network: HttpNetwork;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly cache: LiveSetCache | undefined;
  /** Where the gateway runs; its own zone is preferred. */
  readonly zone: string | undefined;
  /** Configures clusters while they run, and can explain them. */
  readonly clusters: Clusters;
  /** Breakers and caps of services. */
  readonly policies: Policies;
  /** Which addresses of instances are not dialled, also when a name turns out to mean one. */
  readonly refuse: RefuseAddress;
  /** Instances that speak RSocket are asked over it, by a network that can. */
  readonly fast: boolean;
}

/** Connections to other instances, for the share of requests whose first one was not taken; as for any retry. */
const connectBudget = Object.freeze({ fraction: 0.2, perSecond: 10, windowMs: 10_000 });

/** A share in an upstream. */
export interface Lease {
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
  /** Cap and breaker of a service, outside of all that repeats requests to it. */
  readonly admit: HttpFilter | undefined;
  /** Gives the share back; the last one closes the upstream. Once. */
  release(): void;
}

interface Shared {
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
  readonly admit: HttpFilter | undefined;
  readonly instances: (() => readonly InstanceView[]) | undefined;
  /** Takes it out of the list of clusters. */
  readonly leave?: () => void;
  leases: number;
}

/**
 * The upstreams of all route tables that are in use: one each, whatever number of routes and tables names it. So a
 * reload keeps connections, instances and their health, and closes what nobody names any more.
 */
export class Upstreams {
  readonly #needs: UpstreamNeeds;
  readonly #closeFailed: (upstream: string, cause: unknown) => void;
  readonly #shared = new Map<string, Shared>();
  readonly #closing = new Set<Promise<void>>();

  constructor(needs: UpstreamNeeds, closeFailed: (upstream: string, cause: unknown) => void) {
    this.#needs = needs;
    this.#closeFailed = closeFailed;
  }

  /** The upstreams that are open, as they stand in documents. */
  names(): readonly string[] {
    return [...this.#shared.keys()];
  }

  acquire(upstream: Upstream): Lease {
    const name = formatUpstream(upstream);
    const shared = this.#shared.get(name) ?? { ...this.#open(upstream), leases: 0 };
    this.#shared.set(name, shared);
    shared.leases++;
    const { endpoint, admit } = shared;
    return { endpoint, admit, release: () => this.#release(name, shared) };
  }

  /** Instances that are known of an upstream; undefined for a fixed address. */
  instances(upstream: Upstream): readonly InstanceView[] | undefined {
    return this.#shared.get(formatUpstream(upstream))?.instances?.();
  }

  /** Resolves when everything that was given back is closed. */
  async settled(): Promise<void> {
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  #release(name: string, shared: Shared): void {
    shared.leases--;
    if (shared.leases > 0) return;
    this.#shared.delete(name);
    shared.leave?.();
    const closing = shared.endpoint
      .close()
      .catch((cause: unknown) => this.#closeFailed(name, cause))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #open(upstream: Upstream): Omit<Shared, 'leases'> {
    const { network, tracer, refuse, fast, zone, clusters, policies, ...rest } = this.#needs;
    if (upstream.kind === 'address') {
      return {
        endpoint: new UpstreamAddress(upstream, formatUpstream(upstream), network, tracer),
        admit: undefined,
        instances: undefined,
      };
    }
    const { kind, name } = upstream;
    const guard = policies.client(name, upstreamCode);
    const cluster = createCluster<HttpRequest, HttpResponse>({
      ...rest,
      ...clusters.settingsFor(name),
      ownZone: zone,
      target: kind === 'service' ? { service: name } : { contract: name },
      protocols: ['http', 'https'],
      connect: (place, instance, report) => {
        const { protocol, host, port } = place;
        return composeEndpoint(
          [askUtilisation(report)],
          mountAt(
            instance,
            new UpstreamAddress(
              {
                protocol: protocol === 'https' ? 'https' : 'http',
                host,
                port,
                rsocket: fast && speaksRSocket(instance, place),
                refuses: (address) => refuse({ host: address, port }),
              },
              instance.id,
              network,
              tracer,
              true,
            ),
          ),
        );
      },
      judge: judgeByStatus,
      renewed: () => guard.renew(),
    });
    cluster.start(); // now, not with the first request: it would wait
    const unlist = clusters.add(name, cluster);
    return {
      endpoint: new TryElsewhere(cluster, createRetryBudget(connectBudget)),
      admit: exceptSockets(guard.admissionFilter(upstreamCalls(name))),
      instances: () => cluster.instances(),
      leave() {
        unlist();
        policies.release(guard);
      },
    };
  }
}

/** A WebSocket stays for hours, and says nothing of the service by its end: it has limits of its own. */
function exceptSockets(filter: HttpFilter): HttpFilter {
  return (next) => {
    const admitted = filter(next);
    return (request, call) => (request.upgrade ? next(request, call) : admitted(request, call));
  };
}
