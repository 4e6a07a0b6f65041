import { type BodyMapping, bodyDefaults } from '@flotilla/rpc';
import type { AppParts } from './app.ts';

/**
 * The most that a listener has to let through: what the operation takes that takes the most, and never less than what
 * any listener does. Each operation has its own limit below it: one that takes elements has one for each, and may take
 * any number of them.
 *
 * @param jsonMaxBytes of JSON bodies without a limit of their own
 */
export function largestBodyBytes(bindings: AppParts<unknown>['bindings'], jsonMaxBytes: number): number {
  const limits = bindings.flatMap(({ contract }) => [...contract.http.values()].map(({ body }) => mostBytes(body)));
  return Math.max(bodyDefaults.maxStreamBytes, jsonMaxBytes, ...limits);
}

function mostBytes(body: BodyMapping | undefined): number {
  if (!body) return 0;
  return body.kind === 'elements' ? Infinity : body.maxBytes;
}
