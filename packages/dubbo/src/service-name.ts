import { FlotillaError } from '@flotilla/core';

/** The name of an inner class has a `$`, which no service name has; Nacos writes `___` for it, and so do we. */
const innerMark = '___';

/** A Java interface as a service name. `inner`: its marks stand for `$`. */
export function serviceOf(javaName: string): { readonly service: string; readonly inner: boolean } {
  const inner = javaName.includes('$');
  if (inner && javaName.includes(innerMark)) {
    throw new FlotillaError('INVALID_INPUT', `interface "${javaName.slice(0, 80)}" has both "$" and "${innerMark}"`);
  }
  return { service: javaName.replaceAll('$', innerMark), inner };
}

/** The Java interface that {@link serviceOf} made `service` of. */
export function javaNameOf(service: string, inner: boolean): string {
  return inner ? service.replaceAll(innerMark, '$') : service;
}
