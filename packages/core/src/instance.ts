import type { Identity } from './identity.ts';

/**
 * | status | may receive calls | exits |
 * |---|---|---|
 * | `starting` | no | `up`, `down` |
 * | `up` | yes | all |
 * | `draining` | no new ones; those in hand end | gone |
 * | `down` | no: its own health says so | `up`, `draining` |
 * | `out-of-service` | no: an operator or its owner took it out | `up`, `draining` |
 * | `unknown` | no | all |
 */
export type InstanceStatus = 'starting' | 'up' | 'draining' | 'down' | 'out-of-service' | 'unknown';

export const instanceStatuses: readonly InstanceStatus[] = Object.freeze([
  'starting',
  'up',
  'draining',
  'down',
  'out-of-service',
  'unknown',
]);

/** Protocol, host and port to reach an instance. */
export interface Address {
  /** `http`, `https`, `rsocket`, `dubbo`, `tri`, … */
  readonly protocol: string;
  /** A name or an IP address; IPv6 without brackets. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** A contract that an instance serves. */
export interface ContractRef {
  readonly name: string;
  readonly version: number;
  /** Fingerprint of its schemas: the same text means the same shapes. Empty when unknown. */
  readonly hash: string;
}

/**
 * What a contract says on the wire, for a registry that wants to know more than its fingerprint: canonical JSON of its
 * operations, whose fingerprint is the contract's `hash`.
 */
export interface ContractDocument {
  readonly hash: string;
  /** Made when it is asked for. */
  text(): string;
}

/** How long an instance is listed without a sign of life. */
export interface LeaseTerms {
  /** The instance promises to renew this often. */
  readonly renewEveryMs: number;
  /** It is listed this long after its last renewal. */
  readonly lastsMs: number;
}

/** Renew every 30 s, last 90 s: the customary terms of Eureka clients. */
export const leaseDefaults: LeaseTerms = Object.freeze({ renewEveryMs: 30_000, lastsMs: 90_000 });

/** JSON, as dialect bags hold it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * One running copy of a service, as every dialect and every engine sees it. `conformance/golden/instance.json` pins
 * its JSON form, which is this shape with absent members left out.
 */
export interface Instance {
  /** Unique within its service; 1 to 255 printable characters. */
  readonly id: string;
  readonly identity: Identity;
  /** Rises each time the owner changes what it says of itself (epoch milliseconds); the higher one wins. */
  readonly incarnation: number;
  /** In the order in which the owner prefers them. */
  readonly addresses: readonly Address[];
  readonly contracts: readonly ContractRef[];
  /** Contracts that it calls, as it knows them. Absent: it does not say. */
  readonly calls?: readonly ContractRef[];
  /** What the owner says. */
  readonly status: InstanceStatus;
  /** What an operator says; it wins while it is there. */
  readonly override?: InstanceStatus;
  readonly zone?: string;
  readonly cluster?: string;
  /** Share of the calls relative to its siblings, from 0 on. Default 1. */
  readonly weight: number;
  /** Absent: it stays until it is deregistered. */
  readonly lease?: LeaseTerms;
  /** Epoch milliseconds at which it came up; callers warm it up from there. */
  readonly startedAt?: number;
  /** Counts the changes that the registry saw; 0 before it saw any. */
  readonly revision: number;
  /** The owner's own facts: text to text. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Per dialect, what no field above carries, so that a round trip changes nothing. */
  readonly bags: Readonly<Record<string, Json>>;
}

/** The status that counts: an operator's word over the owner's. */
export function effectiveStatus(instance: Instance): InstanceStatus {
  return instance.override ?? instance.status;
}

/** The first address of the first of `protocols` that the instance speaks. */
export function addressFor(instance: Instance, protocols: readonly string[]): Address | undefined {
  for (const protocol of protocols) {
    const address = instance.addresses.find((candidate) => candidate.protocol === protocol);
    if (address) return address;
  }
  return undefined;
}

/**
 * Does the instance speak RSocket on the port of that HTTP address, too? Then it is one of ours, which takes HTTP requests
 * over it. Who speaks it on another port has other conventions.
 */
export function speaksRSocket({ addresses }: Instance, { protocol, host, port }: Address): boolean {
  const wanted = protocol === 'https' ? 'rsockets' : 'rsocket';
  return addresses.some((one) => one.protocol === wanted && one.host === host && one.port === port);
}

/** `host:port`, with IPv6 in brackets (RFC 3986 §3.2.2). */
export function formatHostPort({ host, port }: Pick<Address, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
