import { availableParallelism } from 'node:os';
import { FlotillaError, isHost } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';
import { type EurekaInstance, emptyMetadata, plainDataCenterClass } from '../document.ts';
import { encodeStatus } from '../status.ts';
import { instanceElement, textElement } from '../xml/instance-xml.ts';
import { writeXml, type XmlElement } from '../xml/write-xml.ts';
import { encodeXmlName } from '../xml/xml-name.ts';
import { document } from './answers.ts';
import type { Asked, EurekaContext } from './context.ts';
import { visible } from './listing.ts';

type Stats = Readonly<Record<string, string>>;

/**
 * `GET status` (`StatusInfo`): processors, memory and uptime of this process, its replicas, and itself as an instance.
 * The last is what the request knows of it, and the registry's start: a registry is no instance of itself.
 */
export function aboutServer({ registry, replicas }: EurekaContext, { request, call, type }: Asked): HttpResponse {
  const upMs = call.clock.wallNow() - registry.startedAt;
  const known = replicas();
  const urls = (isAvailable: boolean): string =>
    known.flatMap((replica) => (replica.isAvailable === isAvailable ? [`${replica.url},`] : [])).join('');
  const generalStats = processStats(upMs);
  const applicationStats: Stats = {
    'registered-replicas': known.map(({ url }) => url).join(', '),
    'available-replicas': urls(true),
    'unavailable-replicas': urls(false),
  };
  const instanceInfo = selfAsInstance(request, registry.startedAt, registry.warming);
  if (type === 'application/json')
    return document(JSON.stringify({ generalStats, applicationStats, instanceInfo }), type);
  const content: XmlElement[] = [
    { name: 'generalStats', content: elementsOf(generalStats) },
    { name: 'applicationStats', content: elementsOf(applicationStats) },
    { ...instanceElement(instanceInfo), name: 'instanceInfo' },
  ];
  return document(writeXml({ name: 'com.netflix.eureka.util.StatusInfo', content }, 'indented'), type);
}

/** `GET /serverinfo/statusoverrides`: which instances an operator said something of, and what. */
export function statusOverrides({ registry }: EurekaContext, { type }: Asked): HttpResponse {
  const overrides = visible(registry).flatMap(({ instance: { id, override } }): [string, string][] =>
    override === undefined ? [] : [[id, encodeStatus(override)]],
  );
  const byId: Stats = Object.fromEntries(overrides);
  if (type === 'application/json') return document(JSON.stringify(byId), type);
  return document(writeXml({ name: 'map', content: elementsOf(byId) }, 'indented'), type);
}

/** `PUT asg/{name}/status`: there are no auto scaling groups outside of Amazon's cloud (`ASGResource`). */
export function refuseGroup(_context: EurekaContext, { params }: Asked): never {
  throw new FlotillaError(
    'INVALID_INPUT',
    `the group "${params.get('name')}" cannot be switched: this registry knows no auto scaling groups`,
  );
}

function processStats(upMs: number): Stats {
  const { heapTotal, heapUsed } = process.memoryUsage();
  const percent = Math.floor((heapUsed / heapTotal) * 100);
  return {
    'num-of-cpus': String(availableParallelism()),
    'total-avail-memory': `${megabytes(heapTotal)}mb`,
    'current-memory-usage': `${megabytes(heapUsed)}mb (${percent}%)`,
    'server-uptime': uptime(upMs),
  };
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 1_048_576);
}

/** `3 days 04:05`. */
function uptime(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const days = Math.floor(minutes / 1_440);
  const [hour, minute] = [Math.floor(minutes / 60) % 24, minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${days === 0 ? '' : days === 1 ? '1 day ' : `${days} days `}${hour}:${minute}`;
}

function selfAsInstance({ authority }: HttpRequest, startedAt: number, isWarming: boolean): EurekaInstance {
  const [, named = '', port = '80'] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(authority) ?? [];
  const host = isHost(named) ? named : 'localhost';
  const at = String(startedAt);
  return {
    instanceId: `${host}:eureka:${port}`,
    hostName: host,
    app: 'EUREKA',
    ipAddr: host,
    status: isWarming ? 'STARTING' : 'UP',
    overriddenStatus: 'UNKNOWN',
    port: { $: Number(port), '@enabled': 'true' },
    securePort: { $: 443, '@enabled': 'false' },
    countryId: 1,
    dataCenterInfo: { '@class': plainDataCenterClass, name: 'MyOwn' },
    leaseInfo: {
      renewalIntervalInSecs: 30,
      durationInSecs: 90,
      registrationTimestamp: 0,
      lastRenewalTimestamp: 0,
      evictionTimestamp: 0,
      serviceUpTimestamp: 0,
    },
    metadata: emptyMetadata,
    vipAddress: 'eureka',
    secureVipAddress: 'eureka',
    isCoordinatingDiscoveryServer: 'false',
    lastUpdatedTimestamp: at,
    lastDirtyTimestamp: at,
  };
}

function elementsOf(texts: Stats): XmlElement[] {
  return Object.entries(texts).map(([name, text]) => textElement(encodeXmlName(name), text));
}
