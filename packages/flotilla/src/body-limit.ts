import { bodyDefaults } from '@flotilla/rpc';
import type { AppParts } from './app.ts';

/**
 * The most that a listener has to let through: what the operation takes that takes the most, and never less than what
 * any listener does. Each operation has its own limit below it.
 *
 * @param jsonMaxBytes of JSON bodies without a limit of their own
 */
export function largestBodyBytes(bindings: AppParts<unknown>['bindings'], jsonMaxBytes: number): number {
  const limits = bindings.flatMap(({ contract }) => [...contract.http.values()].map(({ body }) => body?.maxBytes ?? 0));
  return Math.max(bodyDefaults.maxStreamBytes, jsonMaxBytes, ...limits);
}
