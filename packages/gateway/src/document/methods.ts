import type { Value } from './value.ts';

/** Methods that a route may name (RFC 9110 §9.3, RFC 5789). CONNECT and TRACE never pass a gateway. */
export const routableMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Reads one method or a list of them. */
export function readMethods(value: Value): readonly string[] {
  const items = typeof value.raw === 'string' ? [value] : (value.list() ?? []);
  const methods = items.flatMap((item) => item.word(routableMethods) ?? []);
  if (Array.isArray(value.raw) && value.raw.length === 0)
    value.mistake('is an empty list; leave it out for any method');
  return [...new Set(methods)];
}
