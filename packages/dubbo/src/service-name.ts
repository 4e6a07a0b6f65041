import { FlotillaError, type Json } from '@flotilla/core';
import { textOr } from './bag.ts';

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

/**
 * What the bag keeps of a path, which is usually the interface alone: what stands before the interface, or the whole
 * path if it does not end with it.
 */
export function pathMembers(path: string, javaName: string): { readonly contextPath?: string; readonly path?: string } {
  if (path === javaName) return {};
  const context = path.slice(0, -javaName.length - 1);
  return path === `${context}/${javaName}` ? { contextPath: context } : { path };
}

/** The path that {@link pathMembers} took apart. */
export function pathOf(bag: { readonly [member: string]: Json }, javaName: string): string {
  if (typeof bag['contextPath'] === 'string') return `${textOr(bag['contextPath'], '', isPath)}/${javaName}`;
  return textOr(bag['path'], javaName, isPath);
}

function isPath(text: string): boolean {
  return /^[^?\p{Cc}\p{Cs}]*$/u.test(text);
}
