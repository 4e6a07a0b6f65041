import { FlotillaError, formatIdentity } from '@flotilla/core';
import type { HttpResponse } from '@flotilla/http';
import {
  assertMayRegister,
  assertMaySpeakFor,
  assertOperator,
  type GuardedRequest,
  type Registry,
} from '@flotilla/registry/server';
import { eurekaStatuses } from '../document.ts';
import { decodeInstance, encodeInstance, listedStatus } from '../instance.ts';
import { decodeStatus } from '../status.ts';
import { empty } from './answers.ts';
import { keyOf, leaseAt } from './lease-at.ts';

/** `PUT apps/{app}/{id}/status?value=`: an operator's word. */
export async function setOverride(registry: Registry, { request, who, params }: GuardedRequest): Promise<HttpResponse> {
  assertOperator(who, 'override a status');
  const lease = leaseAt(registry, params);
  if (!lease) return empty(404);
  const value = new URLSearchParams(request.query).get('value');
  const status = eurekaStatuses.find((known) => known === value);
  if (!status) throw new FlotillaError('INVALID_INPUT', `value must be one of ${eurekaStatuses.join(', ')}`);
  // What it is already needs no word of an operator: it would outlive the owner's next one.
  if (status !== listedStatus(lease.instance)) registry.setOverride(keyOf(lease), decodeStatus(status));
  return empty(200);
}

/** `DELETE apps/{app}/{id}/status`: the operator's word is taken back. */
export async function clearOverride(registry: Registry, { who, params }: GuardedRequest): Promise<HttpResponse> {
  assertOperator(who, 'take an override back');
  const lease = leaseAt(registry, params);
  if (!lease) return empty(404);
  registry.setOverride(keyOf(lease), undefined);
  return empty(200);
}

/**
 * `PUT apps/{app}/{id}/metadata?name=value`: every query parameter becomes an entry; the first of several with one name.
 */
export async function mergeMetadata(
  registry: Registry,
  { request, call, who, params }: GuardedRequest,
): Promise<HttpResponse> {
  assertMaySpeakFor(who, params.get('app') ?? '');
  const lease = leaseAt(registry, params);
  if (!lease) return empty(404);
  const { instance: before } = lease;
  const document = encodeInstance({ ...before, revision: 0 });
  const given = Object.fromEntries([...new URLSearchParams(request.query)].reverse());
  const metadata = { ...document.metadata, ...given };
  const after = decodeInstance({ ...document, metadata }, Math.floor(call.clock.wallNow()));
  if (formatIdentity(after.identity) !== formatIdentity(before.identity) || after.id !== before.id) {
    throw new FlotillaError('INVALID_INPUT', 'metadata cannot make an instance another one');
  }
  assertMayRegister(who, after);
  registry.register({ ...after, bags: { ...before.bags, ...after.bags } });
  return empty(200);
}
