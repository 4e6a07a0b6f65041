/** Who is shed last and first: `critical` > `default` > `bulk` > `probe`. */
export type PriorityClass = 'critical' | 'default' | 'bulk' | 'probe';

/**
 * Urgency of RFC 9218 §4.1 (`u=0` most urgent … `u=7` background; 3 is the default) → class.
 * `conformance/golden/context-headers.json` pins it.
 */
const classes: readonly PriorityClass[] = [
  'critical',
  'critical',
  'default',
  'default',
  'default',
  'bulk',
  'bulk',
  'probe',
];

/** RFC 9218 §4.1: the urgency of a request that names none. */
export const defaultUrgency = 3;

/** The class of an urgency from 0 to 7; anything else counts as the default. */
export function priorityClass(urgency: number): PriorityClass {
  return classes[urgency] ?? 'default';
}
