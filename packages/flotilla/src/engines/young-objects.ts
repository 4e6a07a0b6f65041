import { setFlagsFromString } from 'node:v8';

/**
 * Tells V8 to make all objects in the young generation. Left to itself it makes those of a place in the code among the old
 * ones at once when nearly all that it made there has lived on: what start-up makes, or a span that waits for its exporter.
 * In optimised code everything that is made beside such an object follows it. A server's objects die with their request:
 * among the old they cost a major collection, and their writes a barrier. Measured at the gateway: a quarter of its time.
 *
 * For programs that serve; call it first, before code is optimised.
 */
export function keepObjectsYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
