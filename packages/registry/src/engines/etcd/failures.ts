import { FlotillaError } from '@flotilla/core';
import type { Json } from './messages.ts';

/** gRPC status codes (grpc.io, "Status codes and their use in gRPC"). */
const [invalidArgument, deadlineExceeded, permissionDenied, outOfRange, unavailable] = [3, 4, 7, 11, 14] as const;
export const notFound = 5;
export const unauthenticated = 16;

/**
 * What etcd refused: `{"error":…,"code":…}` of a request, `{"error":{"grpc_code":…,"message":…}}` of a stream.
 * `data.grpcCode` tells etcd's own code.
 */
export function failure(endpoint: string, path: string, answer: Json): FlotillaError {
  const { error } = answer;
  const inner: Json = typeof error === 'object' && error !== null ? (error as Json) : answer;
  const code = Number(inner['grpc_code'] ?? inner['code'] ?? 2);
  const said = String(inner['message'] ?? error ?? 'no reason').slice(0, 300);
  const detail = `etcd at ${endpoint} refused ${path}: ${said}`;
  const details = { data: { grpcCode: code } };
  if (code === unauthenticated || /authentication failed|user name is empty/.test(said))
    return new FlotillaError('UNAUTHENTICATED', `${detail}; check user and password`, details);
  if (code === permissionDenied) return new FlotillaError('FORBIDDEN', detail, details);
  // "request timed out" and "leader changed" may come after a write was proposed.
  if (code === unavailable) return new FlotillaError('UNAVAILABLE', detail, { ...details, executed: 'unknown' });
  if (code === deadlineExceeded) return new FlotillaError('DEADLINE_EXCEEDED', detail, details);
  if (code === invalidArgument) return new FlotillaError('INVALID_INPUT', detail, details);
  return new FlotillaError('BAD_RESPONSE', detail, { ...details, executed: 'no' });
}

/** Whether history that was asked for is compacted: list anew. */
export function isCompacted(error: unknown): boolean {
  return grpcCode(error) === outOfRange;
}

/** The member, not the request, is what failed. */
export function isFault(error: unknown): boolean {
  if (!(error instanceof FlotillaError)) return false;
  return ['CONNECT_FAILED', 'CONNECTION_LOST', 'DEADLINE_EXCEEDED', 'UNAVAILABLE'].includes(error.code);
}

export function grpcCode(error: unknown): number | undefined {
  if (!(error instanceof FlotillaError)) return undefined;
  const { data } = error;
  return typeof data === 'object' && data !== null && 'grpcCode' in data ? Number(data.grpcCode) : undefined;
}
