import { FlotillaError, formatIdentity } from '@flotilla/core';
import type { HttpResponse } from '@flotilla/http';
import { acknowledge, assertMayRegister, assertMaySpeakFor, assertOperator } from '@flotilla/registry/server';
import { type EurekaStatus, eurekaStatuses } from '../document.ts';
import { decodeInstance, encodeInstance, listedStatus } from '../instance.ts';
import { decodeStatus } from '../status.ts';
import { empty } from './answers.ts';
import type { Asked, EurekaContext } from './context.ts';
import { dirtyTimestamp, keyOf, leaseAt } from './lease-at.ts';

/** `PUT apps/{app}/{id}/status?value=`: an operator's word. */
export async function setOverride(
  { registry }: EurekaContext,
  { request, who, by, params }: Asked,
): Promise<HttpResponse> {
  assertOperator(who, 'override a status');
  const lease = leaseAt(registry, params);
  dirtyTimestamp(request.query);
  const status = statusOf(request.query);
  if (!status) throw new FlotillaError('INVALID_INPUT', `value must be one of ${eurekaStatuses.join(', ')}`);
  // What it is already needs no word of an operator: it would outlive the owner's next one.
  if (status !== listedStatus(lease.instance)) registry.setOverride(keyOf(lease), decodeStatus(status), { by });
  return acknowledge(registry, keyOf(lease), () => empty(200));
}

/**
 * `DELETE apps/{app}/{id}/status?value=`: the operator's word, if there is one, is taken back. Without `value` the owner's
 * counts again, and its next heartbeat is answered with 404, so that it registers and its word is fresh. A `value` is what
 * counts until then, as the operator says.
 */
export async function clearOverride(
  { registry }: EurekaContext,
  { request, who, by, params }: Asked,
): Promise<HttpResponse> {
  assertOperator(who, 'take an override back');
  const lease = leaseAt(registry, params);
  dirtyTimestamp(request.query);
  const status = statusOf(request.query) ?? 'UNKNOWN';
  if (lease.instance.override === undefined) return empty(200);
  registry.setOverride(keyOf(lease), undefined, { by });
  if (status !== 'UNKNOWN') registry.setStatus(keyOf(lease), decodeStatus(status), undefined, { by });
  return acknowledge(registry, keyOf(lease), () => empty(200));
}

/**
 * `PUT apps/{app}/{id}/metadata?name=value`: every query parameter becomes an entry; the first of several with one name.
 */
export async function mergeMetadata(
  { registry }: EurekaContext,
  { request, call, who, by, params }: Asked,
): Promise<HttpResponse> {
  assertMaySpeakFor(who, params.get('app') ?? '');
  const { instance: before } = leaseAt(registry, params);
  const document = encodeInstance({ ...before, revision: 0 });
  const given = Object.fromEntries([...new URLSearchParams(request.query)].reverse());
  const metadata = { ...document.metadata, ...given };
  const after = decodeInstance({ ...document, metadata }, Math.floor(call.clock.wallNow()));
  if (formatIdentity(after.identity) !== formatIdentity(before.identity) || after.id !== before.id) {
    throw new FlotillaError('INVALID_INPUT', 'metadata cannot make an instance another one');
  }
  assertMayRegister(who, after);
  registry.register({ ...after, bags: { ...before.bags, ...after.bags } }, { by });
  return acknowledge(registry, { service: formatIdentity(after.identity), id: after.id }, () => empty(200));
}

/** @throws FlotillaError INVALID_INPUT for what is no status */
function statusOf(query: string): EurekaStatus | undefined {
  const value = new URLSearchParams(query).get('value');
  const status = eurekaStatuses.find((known) => known === value);
  if (value === null || status) return status;
  throw new FlotillaError(
    'INVALID_INPUT',
    `value must be one of ${eurekaStatuses.join(', ')}, not "${value.slice(0, 40)}"`,
  );
}
