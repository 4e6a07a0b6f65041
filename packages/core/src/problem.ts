import { type Executed, errorRow, FlotillaError } from './errors.ts';

/** RFC 9457 §3 */
export const problemMediaType = 'application/problem+json';

/**
 * An error on the wire: RFC 9457 with our members. The same document is the body of an HTTP answer and the data of an
 * error frame of any other transport. `conformance/golden/problem.json` pins it.
 */
export interface Problem {
  /** `about:blank` for a platform code (RFC 9457 §4.2.1): the code is what tells problems apart. */
  readonly type: string;
  /** The meaning of the code: the same words each time. */
  readonly title: string;
  readonly status: number;
  /** What happened this time, for a person. */
  readonly detail: string;
  readonly code: string;
  readonly executed: Executed;
  readonly retryAfterMs?: number;
  readonly data?: unknown;
  /** The trace id, so that a caller can name the occurrence to whoever reads the logs. */
  readonly traceId?: string;
}

/**
 * What a caller is told of an error. An INTERNAL error tells nothing but its trace id: its text may hold paths,
 * addresses or library messages. The cause is never included.
 */
export function toProblem(error: FlotillaError, traceId?: string): Problem {
  const hidden = error.code === 'INTERNAL' && !error.fromPeer;
  const where = traceId === undefined ? '' : ` under the trace id ${traceId}`;
  return {
    type: 'about:blank',
    title: errorRow(error.code)?.meaning ?? error.code,
    status: error.httpStatus,
    detail: hidden ? `the callee failed; its log holds the reason${where}` : error.detail,
    code: error.code,
    executed: error.executed,
    ...(error.retryAfterMs === undefined ? undefined : { retryAfterMs: error.retryAfterMs }),
    ...(error.data === undefined ? undefined : { data: error.data }),
    ...(traceId === undefined ? undefined : { traceId }),
  };
}

/**
 * Reads an error that a peer sent.
 * @param status of the answer that carried it; it wins over the document's own.
 * @returns undefined when `document` is not a problem of ours (no text member `code`).
 */
export function fromProblem(document: unknown, status: number): FlotillaError | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const { code, detail, executed, retryAfterMs, data } = document as Record<string, unknown>;
  if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{0,63}$/.test(code)) return undefined;
  return new FlotillaError(code, typeof detail === 'string' ? detail.slice(0, 2_000) : '', {
    httpStatus: status,
    fromPeer: true,
    data,
    // Without a word about it nothing is known, whatever our table says of the code: it may be a stranger's.
    executed: executed === 'no' || executed === 'yes' ? executed : 'unknown',
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs } : undefined),
  });
}
