import { FlotillaError, isProtocol, nullLogger, resolveDurations } from '@flotilla/core';
import { openDiscovery, type SourceDiscovery, type SourceNeeds } from '../discovery.ts';
import { sourceLog } from '../log.ts';
import { silentRegistrar } from '../registrar.ts';
import { sharedResolver } from '../shared-resolver.ts';
import { choiceParam, onlyUrl, splitSourceUrl, wholeNumberParam } from '../source-url.ts';
import type { DnsPort } from './dns-port.ts';
import { DnsSource } from './dns-source.ts';
import { nodeDns } from './engines/node-dns.ts';

/** What {@link dnsDiscovery} is told. */
export interface DnsDiscoveryOptions extends SourceNeeds {
  /** Name servers. Default: those of the url's `server`, else those of this machine. */
  readonly dns?: DnsPort;
  /** A name is not asked for again sooner than this, whatever its records say. Default 1,000. */
  readonly minTtlMs?: number;
  /** It is asked for again after this at the latest. Default 30,000. */
  readonly maxTtlMs?: number;
  /** All name servers together are waited for this long. Default 5,000. */
  readonly timeoutMs?: number;
}

export const dnsDiscoveryDefaults: Readonly<
  Required<Pick<DnsDiscoveryOptions, 'minTtlMs' | 'maxTtlMs' | 'timeoutMs'>>
> = Object.freeze({
  minTtlMs: 1_000, // records of 0 s would be asked for without end
  maxTtlMs: 30_000, // whoever moves a service does not wait for a day that a record says
  timeoutMs: 5_000,
});

const params = ['type', 'port', 'protocol', 'service', 'server', 'minTtlMs', 'maxTtlMs'] as const;
const placeholder = '{service}';
const defaultPorts: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
]);

/**
 * Instances that name servers know: `dns:_http._tcp.{service}.default.svc.cluster.local?type=srv`,
 * `dns:orders.internal?port=8080`. Names are asked for as they are, with no domain added. Nothing is registered there.
 *
 * | parameter | means | default |
 * |---|---|---|
 * | `type` | `srv`, `a` or `aaaa` | `srv` when the name begins with `_`, else `a` |
 * | `port` | of every address; SRV records have their own | 80 and 443 for http and https |
 * | `protocol` | of every instance | `http` |
 * | `service` | what a name without `{service}` is the name of | its first label without `_` |
 * | `server` | a name server, `10.96.0.10:53` | those of this machine |
 * | `minTtlMs`, `maxTtlMs` | bounds of the records' time to live | 1,000 and 30,000 |
 *
 * @throws FlotillaError CONFIG_INVALID
 */
export function dnsDiscovery(options: DnsDiscoveryOptions): SourceDiscovery {
  const url = onlyUrl(options.urls, 'dns');
  const { rest, params: given } = splitSourceUrl(url, params);
  const pattern = patternOf(rest);
  const protocol = given.get('protocol') ?? 'http';
  if (!isProtocol(protocol)) throw invalid(`"${protocol.slice(0, 40)}" is no protocol`);
  const type = choiceParam(given, 'type', ['srv', 'a', 'aaaa']) ?? (pattern.startsWith('_') ? 'srv' : 'a');
  const port = wholeNumberParam(given, 'port', [1, 65_535]) ?? defaultPorts.get(protocol);
  if (port === undefined && type !== 'srv') throw invalid(`"dns:${pattern}" needs a parameter "port"`);
  const { clock, random, logger = nullLogger } = options;
  const log = sourceLog(logger, `dns:${pattern}`);
  const server = given.get('server');
  const source = new DnsSource({
    clock,
    random,
    log,
    type,
    protocol,
    dns: options.dns ?? nodeDns(server === undefined ? {} : { servers: [server] }),
    nameOf: namesOf(pattern, given.get('service')),
    port: port ?? 0,
    ...timesOf(options, given),
  });
  const shared = sharedResolver(source, log);
  const registrar = silentRegistrar(log, 'whoever runs the name servers lists the instances');
  return openDiscovery(shared.resolver, registrar, async () => shared.close());
}

function timesOf(options: DnsDiscoveryOptions, given: ReadonlyMap<string, string>): typeof dnsDiscoveryDefaults {
  const bounds = [1, 86_400_000] as const;
  const named = {
    minTtlMs: wholeNumberParam(given, 'minTtlMs', bounds) ?? options.minTtlMs,
    maxTtlMs: wholeNumberParam(given, 'maxTtlMs', bounds) ?? options.maxTtlMs,
    timeoutMs: options.timeoutMs,
  };
  const times = resolveDurations(named, dnsDiscoveryDefaults);
  if (times.minTtlMs > times.maxTtlMs) throw invalid('"minTtlMs" is above "maxTtlMs"');
  return times;
}

function patternOf(rest: string): string {
  const pattern = rest.replace(/^\/\//, '').replace(/\/$/, '').replaceAll('%7Bservice%7D', placeholder);
  const name = pattern.replace(placeholder, 'x');
  if (name !== '' && /^[A-Za-z0-9._-]{1,253}$/.test(name)) return pattern;
  throw invalid(`"dns:${rest.slice(0, 200)}" names nothing; write dns:${placeholder}.example.internal?port=8080`);
}

function namesOf(pattern: string, given: string | undefined): (service: string) => string | undefined {
  if (pattern.includes(placeholder)) {
    return (service) => (/^[A-Za-z0-9._-]+$/.test(service) ? pattern.replace(placeholder, service) : undefined);
  }
  const only = given ?? pattern.split('.').find((label) => !label.startsWith('_'));
  return (service) => (service === only ? pattern : undefined);
}

function invalid(detail: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `registry: ${detail}`);
}
