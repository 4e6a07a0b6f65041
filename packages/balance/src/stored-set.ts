import { createHash } from 'node:crypto';
import {
  type Address,
  type ContractRef,
  type Identity,
  type Instance,
  type InstanceStatus,
  instanceStatuses,
  type Json,
  type LeaseTerms,
} from '@flotilla/core';
import type { CachedSet } from './live-set-cache.ts';

/**
 * The file of a kept set, two lines:
 * ```
 * flotilla-live-set 1 9f86d081884c7d65…   name of the format, version, SHA-256 of the next line in hex
 * {"target":"service:orders","savedAt":1767225600000,"instances":[…]}
 * ```
 */
export function formatStoredSet(target: string, { savedAt, instances }: CachedSet): string {
  const body = JSON.stringify({ target, savedAt, instances });
  return `${formatName} ${formatVersion} ${sha256(body)}\n${body}\n`;
}

/**
 * Reads a kept set, field by field: whatever has another shape makes the whole set unusable.
 * @throws Error saying what does not fit.
 */
export function parseStoredSet(target: string, text: string): CachedSet {
  const [head = '', body = ''] = text.split('\n', 2);
  const [name, version, checksum] = head.split(' ');
  if (name !== formatName) throw new Error(`it does not begin with "${formatName}"`);
  if (version !== formatVersion) throw new Error(`its format is version ${version}, this reads ${formatVersion}`);
  if (checksum !== sha256(body)) throw new Error('its checksum does not fit its content');
  const document = record('the document', JSON.parse(body));
  if (document['target'] !== target) throw new Error(`it is about "${String(document['target'])}"`);
  return {
    savedAt: number('savedAt', document['savedAt']),
    instances: list('instances', document['instances'], readInstance),
  };
}

/** Spring Boot Admin's clients register `user.password`; others do alike. */
const secretName = /passw|secret|token|credential|api[-_.]?key|private[-_.]?key/i;

/** Metadata that is a secret by its name, or a URL with a password, stays off the disk: it would outlive its reason there. */
export function withoutSecrets(instance: Instance): Instance {
  const entries = Object.entries(instance.metadata);
  const plain = entries.filter(([name, text]) => !secretName.test(name) && !hasPassword(text));
  return plain.length === entries.length ? instance : { ...instance, metadata: Object.fromEntries(plain) };
}

/** `redis://me:password@redis:6379`. */
function hasPassword(text: string): boolean {
  return text.includes('@') && (URL.parse(text)?.password ?? '') !== '';
}

const formatName = 'flotilla-live-set';
const formatVersion = '1';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function readInstance(value: unknown): Instance {
  const fields = record('instance', value);
  const { override, zone, cluster, lease, startedAt } = fields;
  return {
    id: text('id', fields['id']),
    identity: readIdentity(fields['identity']),
    incarnation: number('incarnation', fields['incarnation']),
    addresses: list('addresses', fields['addresses'], readAddress),
    contracts: list('contracts', fields['contracts'], readContract),
    status: status('status', fields['status']),
    ...(override === undefined ? undefined : { override: status('override', override) }),
    ...(zone === undefined ? undefined : { zone: text('zone', zone) }),
    ...(cluster === undefined ? undefined : { cluster: text('cluster', cluster) }),
    weight: number('weight', fields['weight']),
    ...(lease === undefined ? undefined : { lease: readLease(lease) }),
    ...(startedAt === undefined ? undefined : { startedAt: number('startedAt', startedAt) }),
    revision: number('revision', fields['revision']),
    metadata: entries('metadata', fields['metadata'], text),
    bags: entries('bags', fields['bags'], (_name, bag) => bag as Json),
  };
}

function readIdentity(value: unknown): Identity {
  const { namespace, group, service, version } = record('identity', value);
  return {
    namespace: text('namespace', namespace),
    group: text('group', group),
    service: text('service', service),
    version: text('version', version),
  };
}

function readAddress(value: unknown): Address {
  const { protocol, host, port } = record('address', value);
  const address = { protocol: text('protocol', protocol), host: text('host', host), port: number('port', port) };
  if (!Number.isInteger(address.port) || address.port > 65_535) throw new Error(`port is ${address.port}`);
  return address;
}

function readContract(value: unknown): ContractRef {
  const { name, version, hash } = record('contract', value);
  return { name: text('name', name), version: number('version', version), hash: text('hash', hash) };
}

function readLease(value: unknown): LeaseTerms {
  const { renewEveryMs, lastsMs } = record('lease', value);
  return { renewEveryMs: number('renewEveryMs', renewEveryMs), lastsMs: number('lastsMs', lastsMs) };
}

function record(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${name} is no object`);
}

function list<T>(name: string, value: unknown, read: (item: unknown) => T): T[] {
  if (Array.isArray(value)) return value.map((item) => read(item));
  throw new Error(`${name} is no list`);
}

function entries<T>(name: string, value: unknown, read: (name: string, value: unknown) => T): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record(name, value)).map(([key, entry]) => {
      if (key === '__proto__' || key === 'constructor' || key === 'prototype') throw new Error(`${name} has "${key}"`);
      return [key, read(`${name} "${key}"`, entry)];
    }),
  );
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Error(`${name} is no text`);
}

function number(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value;
  throw new Error(`${name} is no number from 0 on`);
}

function status(name: string, value: unknown): InstanceStatus {
  const found = instanceStatuses.find((known) => known === value);
  if (found) return found;
  throw new Error(`${name} is no status`);
}
