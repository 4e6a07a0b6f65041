import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpHeaders } from './headers.ts';
import { errorFromResponse } from './problem-response.ts';

const timestamp = '2026-03-02T09:30:00.000+00:00';

interface Row {
  readonly claim: string;
  readonly status: number;
  readonly type?: string;
  readonly retryAfter?: string;
  readonly body: unknown;
  readonly code: string;
  readonly executed: string;
  readonly retryAfterMs?: number;
  readonly detail?: string;
}

const rows: readonly Row[] = [
  {
    claim: 'a 404 of Spring Boot',
    status: 404,
    body: { timestamp, status: 404, error: 'Not Found', message: 'No static resource x.', path: '/x' },
    code: 'NO_ROUTE',
    executed: 'no',
    detail: 'the callee answered 404 Not Found at /x: No static resource x.',
  },
  {
    claim: 'a 500 of Spring Boot, whose text and stack stay inside',
    status: 500,
    body: {
      timestamp,
      status: 500,
      error: 'Internal Server Error',
      message: 'db at 10.0.0.7',
      trace: 'at …',
      path: '/x',
    },
    code: 'INTERNAL',
    executed: 'unknown',
    detail: 'the callee answered 500 Internal Server Error at /x',
  },
  {
    claim: 'a 503 of Spring without a time: perhaps after some work',
    status: 503,
    body: { timestamp, status: 503, error: 'Service Unavailable', path: '/x' },
    code: 'UNAVAILABLE',
    executed: 'unknown',
  },
  {
    claim: 'a 503 of Spring with retry-after: it was not handled',
    status: 503,
    retryAfter: '2',
    body: { timestamp, status: 503, error: 'Service Unavailable', path: '/x' },
    code: 'UNAVAILABLE',
    executed: 'no',
    retryAfterMs: 2_000,
  },
  {
    claim: 'a 504 of Spring Cloud Gateway (WebFlux)',
    status: 504,
    body: { timestamp, path: '/x', status: 504, error: 'Gateway Timeout', requestId: '1a-2' },
    code: 'DEADLINE_EXCEEDED',
    executed: 'unknown',
  },
  {
    claim: 'a 429 with retry-after',
    status: 429,
    retryAfter: '1',
    body: { timestamp: 1_767_225_600_000, status: 429, error: 'Too Many Requests', path: '/x' },
    code: 'RATE_LIMITED',
    executed: 'no',
    retryAfterMs: 1_000,
  },
  {
    claim: 'a 409 as a problem of Spring 6: unknown in the table, so a 400',
    status: 409,
    type: 'application/problem+json',
    body: { type: 'about:blank', title: 'Conflict', status: 409, detail: 'already paid', instance: '/orders/7' },
    code: 'INVALID_INPUT',
    executed: 'no',
    detail: 'the callee answered 409 Conflict at /orders/7: already paid',
  },
  {
    claim: 'a 502 as a problem of Spring 6',
    status: 502,
    type: 'application/problem+json;charset=UTF-8',
    body: { title: 'Bad Gateway', status: 502 },
    code: 'CONNECTION_LOST',
    executed: 'unknown',
  },
  {
    claim: 'a document that names another status is no witness',
    status: 500,
    body: { timestamp, status: 404, error: 'Not Found', path: '/x' },
    code: 'BAD_RESPONSE',
    executed: 'unknown',
  },
  { claim: 'a list is no document', status: 500, body: [{ status: 500 }], code: 'BAD_RESPONSE', executed: 'unknown' },
];

for (const {
  claim,
  status,
  type = 'application/json',
  retryAfter,
  body,
  code,
  executed,
  retryAfterMs,
  detail,
} of rows) {
  test(`${claim}: ${code}, executed ${executed}`, () => {
    const headers = new HttpHeaders([['content-type', type]]);
    if (retryAfter !== undefined) headers.set('retry-after', retryAfter);
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const error = errorFromResponse({ status, headers, body: bytes }, bytes);
    assert.deepEqual([error.code, error.executed, error.retryAfterMs], [code, executed, retryAfterMs]);
    assert.equal(error.fromPeer, true);
    if (detail !== undefined) assert.equal(error.detail, detail);
    assert.doesNotMatch(JSON.stringify([error.detail, error.data]), /10\.0\.0\.7|at …/);
  });
}

test('what a failed server said is kept for the log, as the cause', () => {
  const body = { timestamp, status: 500, error: 'Internal Server Error', message: 'db is gone', path: '/x' };
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const headers = new HttpHeaders([['content-type', 'application/json']]);
  const { cause } = errorFromResponse({ status: 500, headers, body: bytes }, bytes);
  assert.equal((cause as Error).message, 'db is gone');
});
