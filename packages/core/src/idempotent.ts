import { type Attribute, attribute } from './call.ts';

/**
 * True in a call whose work may be done twice without harm. Whoever makes the request sets it (a typed client from its
 * contract, a gateway from the method); a retry reads it when an outcome is unknown. Absent counts as false.
 */
export const idempotentAttribute: Attribute<boolean> = attribute('idempotent');
