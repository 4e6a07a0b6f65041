import type { Instance, InstanceStatus } from '@flotilla/core';
import type { EurekaInstance, EurekaStatus } from './document.ts';

const toEureka: Readonly<Record<InstanceStatus, EurekaStatus>> = Object.freeze({
  starting: 'STARTING',
  up: 'UP',
  draining: 'OUT_OF_SERVICE', // a note tells Flotilla's readers more; it is the owner's word, never an override
  down: 'DOWN',
  'out-of-service': 'OUT_OF_SERVICE',
  unknown: 'UNKNOWN',
});

const fromEureka: Readonly<Record<EurekaStatus, InstanceStatus>> = Object.freeze({
  UP: 'up',
  DOWN: 'down',
  STARTING: 'starting',
  OUT_OF_SERVICE: 'out-of-service',
  UNKNOWN: 'unknown',
});

/** The Eureka word for a status; `draining` is OUT_OF_SERVICE. */
export function encodeStatus(status: InstanceStatus): EurekaStatus {
  return toEureka[status];
}

/** The status that a Eureka word means. */
export function decodeStatus(status: EurekaStatus): InstanceStatus {
  return fromEureka[status];
}

/**
 * The status that Eureka's readers go by. As with Java servers (`DownOrStartingRule` before `OverrideExistsRule`) an
 * override counts only for an instance that says UP or OUT_OF_SERVICE of itself.
 */
export function shownStatus({ status, override }: Pick<Instance, 'status' | 'override'>): EurekaStatus {
  const own = encodeStatus(status);
  if (override === undefined || (own !== 'UP' && own !== 'OUT_OF_SERVICE')) return own;
  return encodeStatus(override);
}

/** Owner's and operator's word, as far as the document tells: `status` holds both, UNKNOWN means no override. */
export function readStatuses(
  document: Pick<EurekaInstance, 'status' | 'overriddenStatus'>,
): Pick<Instance, 'status' | 'override'> {
  const status = decodeStatus(document.status);
  if (document.overriddenStatus === 'UNKNOWN') return { status };
  return { status, override: decodeStatus(document.overriddenStatus) };
}
