import { FlotillaError, isProtocol } from '@flotilla/core';
import { list, record } from '../../field-checks.ts';

/** Which ports of an endpoint are taken. */
export interface PortChoice {
  /** The name of the one port. Absent: all whose protocol is known, or the only one. */
  readonly portName?: string;
  /** Of a port that does not say. */
  readonly protocol: string;
}

/** An endpoint as a slice lists it, in the JSON form of an instance and with the zones that it is meant for. */
export interface SliceEndpoint {
  readonly id: string;
  readonly addresses: readonly { readonly protocol: string; readonly host: unknown; readonly port: unknown }[];
  readonly status: 'up' | 'down' | 'draining';
  readonly zone?: unknown;
  readonly forZones: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a slice says: its endpoints, and which could not be read. */
export interface SliceContent {
  readonly endpoints: readonly SliceEndpoint[];
  readonly leftOut: readonly string[];
}

/** A slice holds at most 1,000 endpoints (Kubernetes API reference, "EndpointSlice v1 discovery.k8s.io"), and 100 ports. */
const mostEndpoints = 1_000;
const mostPorts = 100;

/** Values of `appProtocol` (Kubernetes standard ones and service names of IANA) and what they are called here. */
const appProtocols: ReadonlyMap<string, string> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['kubernetes.io/ws', 'http'],
  ['kubernetes.io/wss', 'https'],
  ['kubernetes.io/h2c', 'h2c'],
  ['grpc', 'grpc'],
  ['rsocket', 'rsocket'],
  ['dubbo', 'dubbo'],
  ['tri', 'tri'],
]);

/**
 * Reads an EndpointSlice (discovery.k8s.io/v1). Conditions that are absent mean `ready`, and not `terminating`; a
 * terminating endpoint drains, whether it still serves or not.
 * @throws FlotillaError INVALID_INPUT when it is none at all
 */
export function readSlice(slice: unknown, choice: PortChoice): SliceContent {
  const { endpoints, ports } = record(slice, 'EndpointSlice');
  const chosen = choosePorts(
    list(ports ?? undefined, 'ports', mostPorts, (port) => port),
    choice,
  );
  const read: SliceEndpoint[] = [];
  const leftOut: string[] = [];
  for (const endpoint of list(endpoints ?? undefined, 'endpoints', mostEndpoints, (item) => item)) {
    try {
      if (chosen.length === 0) throw new FlotillaError('INVALID_INPUT', noPort(choice));
      read.push(readEndpoint(record(endpoint, 'endpoint'), chosen));
    } catch (cause) {
      leftOut.push(cause instanceof FlotillaError ? cause.detail : String(cause));
    }
  }
  return { endpoints: read, leftOut };
}

/**
 * All slices of a service as one list: an endpoint that several of them name, for IPv4 and IPv6 or while it moves between
 * them, is one instance with all addresses. Terminating is a way without return, so whichever says it is the newer word.
 */
export function joinSlices(slices: Iterable<SliceContent>): SliceEndpoint[] {
  const joined = new Map<string, SliceEndpoint>();
  for (const { endpoints } of slices) {
    for (const endpoint of endpoints) {
      const known = joined.get(endpoint.id);
      joined.set(endpoint.id, known ? both(known, endpoint) : endpoint);
    }
  }
  return [...joined.values()];
}

/**
 * The endpoints that a caller in `zone` is to use: those that are meant for it, when all that are up say for which zones
 * they are meant and one is for this (the rule of kube-proxy, "Topology Aware Routing: Safeguards"); else all.
 */
export function forZone(endpoints: readonly SliceEndpoint[], zone: string | undefined): readonly SliceEndpoint[] {
  const up = endpoints.filter(({ status }) => status === 'up');
  if (zone === undefined || up.some(({ forZones }) => forZones.length === 0)) return endpoints;
  if (!up.some(({ forZones }) => forZones.includes(zone))) return endpoints;
  return endpoints.filter(({ status, forZones }) => status !== 'up' || forZones.includes(zone));
}

interface ChosenPort {
  readonly protocol: string;
  readonly port: unknown;
}

function choosePorts(ports: readonly unknown[], { portName, protocol }: PortChoice): ChosenPort[] {
  const tcp = ports
    .map((port) => (port ?? {}) as { name?: unknown; port?: unknown; protocol?: unknown; appProtocol?: unknown })
    .filter((port) => port.protocol === undefined || port.protocol === null || port.protocol === 'TCP');
  if (portName !== undefined) {
    return tcp
      .filter(({ name }) => name === portName)
      .map((port) => ({ protocol: protocolOf(port) ?? protocol, port: port.port }));
  }
  const known = tcp.flatMap((port) => {
    const spoken = protocolOf(port) ?? (tcp.length === 1 ? protocol : undefined);
    return spoken === undefined ? [] : [{ protocol: spoken, port: port.port }];
  });
  return known;
}

/** By `appProtocol`, else by the name in front of the first `-`, as Istio reads it. */
function protocolOf({ name, appProtocol }: { name?: unknown; appProtocol?: unknown }): string | undefined {
  if (typeof appProtocol === 'string') {
    const known = appProtocols.get(appProtocol.toLowerCase());
    if (known !== undefined) return known;
    if (isProtocol(appProtocol)) return appProtocol;
  }
  return typeof name === 'string' ? appProtocols.get((name.split('-')[0] ?? '').toLowerCase()) : undefined;
}

function readEndpoint(endpoint: Readonly<Record<string, unknown>>, ports: readonly ChosenPort[]): SliceEndpoint {
  const { addresses, conditions, zone, hints, targetRef, nodeName } = endpoint;
  const [host] = list(addresses, 'addresses', 100, (address) => address); // all of them are one and the same endpoint
  const [first] = ports;
  const pod = (targetRef as { name?: unknown } | null | undefined)?.name;
  return {
    id: typeof pod === 'string' ? pod : `${host}:${first?.port}`,
    addresses: ports.map(({ protocol, port }) => ({ protocol, host, port })),
    status: statusOf(conditions),
    ...(typeof zone === 'string' ? { zone } : undefined),
    forZones: zonesOf(hints),
    metadata: typeof nodeName === 'string' ? { 'kubernetes.node': nodeName } : {},
  };
}

function statusOf(conditions: unknown): SliceEndpoint['status'] {
  const { ready, terminating } = (conditions ?? {}) as { ready?: unknown; terminating?: unknown };
  if (terminating === true) return 'draining';
  return ready === false ? 'down' : 'up';
}

function zonesOf(hints: unknown): string[] {
  const { forZones } = (hints ?? {}) as { forZones?: unknown };
  return list(forZones ?? undefined, 'hints.forZones', 64, (zone) => (zone as { name?: unknown } | null)?.name).filter(
    (name) => typeof name === 'string',
  );
}

function both(one: SliceEndpoint, other: SliceEndpoint): SliceEndpoint {
  const addresses = new Map(
    [...one.addresses, ...other.addresses].map((address) => [
      `${address.protocol} ${address.host} ${address.port}`,
      address,
    ]),
  );
  const draining = one.status === 'draining' || other.status === 'draining';
  return { ...one, addresses: [...addresses.values()], status: draining ? 'draining' : one.status };
}

function noPort({ portName }: PortChoice): string {
  return portName === undefined
    ? 'none of its ports says that it speaks a known protocol: name one by "port" in the url, or set appProtocol'
    : `it has no TCP port called "${portName}"`;
}
