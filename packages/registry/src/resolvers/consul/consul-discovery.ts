import { FlotillaError, nullLogger, resolveDurations, Secret } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';
import { openDiscovery, type SourceDiscovery, type SourceNeeds } from '../discovery.ts';
import { type HttpHost, HttpHosts } from '../http-hosts.ts';
import { sourceLog } from '../log.ts';
import { sourceRegistrar } from '../registrar.ts';
import { sharedResolver } from '../shared-resolver.ts';
import { basicAuthorization, choiceParam, type HttpSourceUrl, readHttpSourceUrl } from '../source-url.ts';
import { ConsulApi } from './consul-api.ts';
import { consulPlace } from './consul-place.ts';
import { ConsulSource } from './consul-source.ts';

/** What {@link consulDiscovery} is told. */
export interface ConsulDiscoveryOptions extends SourceNeeds {
  readonly network: HttpNetwork;
  /** An agent answers a blocking query after this at the latest. Up to 600,000. Default 60,000. */
  readonly waitMs?: number;
  /** In the long run one service is asked for no more often than this. Default 1,000. */
  readonly askEveryMs?: number;
  /** Any other request, and what a blocking query may take longer. Default 5,000. */
  readonly requestTimeoutMs?: number;
}

export const consulDiscoveryDefaults: Readonly<
  Required<Pick<ConsulDiscoveryOptions, 'waitMs' | 'askEveryMs' | 'requestTimeoutMs'>>
> = Object.freeze({
  waitMs: 60_000, // shorter than what proxies allow a silent answer
  askEveryMs: 1_000, // two changes at once come at once; a service that flaps costs one request a second
  requestTimeoutMs: 5_000,
});

const example = 'consul+http://127.0.0.1:8500';
const params = ['token', 'dc', 'ns', 'passing'] as const;

/**
 * Instances in a Consul catalog, and registration at an agent: `consul+http://127.0.0.1:8500?token=…`, several agents for
 * failover.
 *
 * | parameter | means | default |
 * |---|---|---|
 * | `token` | ACL token, sent as `X-Consul-Token`; each url has its own | none |
 * | `dc` | data centre that is read | the agent's |
 * | `ns` | namespace (Consul Enterprise) | the token's |
 * | `passing` | `true`: who does not pass is not listed at all; else it is listed as `down` | `false` |
 *
 * An instance is registered with a TTL check that it renews itself. Whoever asks for passing instances, as Spring Cloud
 * Consul does, does not see one that drains.
 * @throws FlotillaError CONFIG_INVALID
 */
export function consulDiscovery(options: ConsulDiscoveryOptions): SourceDiscovery {
  const { clock, random, network, logger = nullLogger } = options;
  const urls = options.urls.map((url) => readHttpSourceUrl(url, example, params));
  const [first] = urls;
  if (!first) throw new FlotillaError('CONFIG_INVALID', `registry: Consul needs at least one url, such as ${example}`);
  const times = timesOf(options);
  const log = sourceLog(logger, `consul ${urls.map(({ label }) => label).join(', ')}`);
  const hosts = new HttpHosts(urls.map(hostOf), network, { clock, random });
  const api = new ConsulApi(hosts, scopeOf(first), times.requestTimeoutMs);
  const passing = choiceParam(first.params, 'passing', ['true', 'false']) === 'true';
  const source = new ConsulSource({ clock, random, log, api, passing, ...times });
  const shared = sharedResolver(source, log);
  const kept = sourceRegistrar(consulPlace(api), { clock, random, log, ...times });
  return openDiscovery(shared.resolver, kept.registrar, () => {
    shared.close();
    kept.close();
    return hosts.close();
  });
}

function hostOf({ label, target, authority, prefix, user, params }: HttpSourceUrl): HttpHost {
  const token = params.get('token');
  const secret = token === undefined ? undefined : new Secret(token);
  return {
    label,
    target,
    authority,
    prefix,
    headers: () => [
      ...(user ? ([['authorization', basicAuthorization(user)]] as const) : []),
      ...(secret ? ([['x-consul-token', secret.reveal()]] as const) : []),
    ],
  };
}

function scopeOf({ params }: HttpSourceUrl): { dc?: string; ns?: string } {
  const [dc, ns] = [params.get('dc'), params.get('ns')];
  return { ...(dc === undefined ? undefined : { dc }), ...(ns === undefined ? undefined : { ns }) };
}

function timesOf(options: ConsulDiscoveryOptions): typeof consulDiscoveryDefaults {
  const times = resolveDurations(options, consulDiscoveryDefaults);
  if (times.waitMs > 600_000) throw new RangeError(`waitMs must be at most 600000, got ${times.waitMs}`);
  return times;
}
