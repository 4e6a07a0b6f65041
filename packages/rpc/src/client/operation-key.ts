import { type Call, tenantKey } from '@flotilla/core';
import { printValue } from '../print-value.ts';
import type { OperationRequest } from './operation-request.ts';

/**
 * What makes two calls of a query ask for the same: contract, version, operation, tenant, input, and those members of the
 * baggage that the answer varies with. What sharing and keeping answers are keyed by.
 * @param vary names of members of the baggage, besides the tenant
 * @returns undefined for what cannot be shared: anything but a query, streams and bytes
 */
export function operationKey(
  { operation: { name, info, mapping }, input }: OperationRequest,
  call: Call,
  vary: readonly string[] = [],
): string | undefined {
  if (info.kind !== 'query' || info.streamed || mapping.answer) return undefined;
  const print = printValue(input);
  return print === undefined ? undefined : `${keyPrefix(name, info.version)}${whose(call, vary)}\n${print}`;
}

/** What the keys of one operation begin with. */
export function keyPrefix(name: string, version: number): string {
  return `${name}@${version}\n`;
}

/** Calls of one operation that may go together: for one tenant, and equal in what the answer varies with. */
export function groupKey(
  { operation: { name, info } }: OperationRequest,
  call: Call,
  vary: readonly string[] = [],
): string {
  return keyPrefix(name, info.version) + whose(call, vary);
}

function whose({ baggage }: Call, vary: readonly string[]): string {
  const tenant = baggage.get(tenantKey);
  if (vary.length === 0) return tenant === undefined ? '' : JSON.stringify(tenant);
  return JSON.stringify([tenant ?? null, ...vary.map((name) => baggage.get(name) ?? null)]);
}
