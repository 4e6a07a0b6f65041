import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { Call, type ErrorDetails, errorTable, FlotillaError, newTrace } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { errorFromResponse, HttpHeaders, problemResponse, readBody } from '@flotilla/http';

interface GoldenError {
  readonly code: string;
  readonly detail?: string;
  readonly status: number;
  readonly executed: string;
  readonly retryAfterMs?: number;
  readonly data?: unknown;
}

interface GoldenProblems {
  readonly problems: readonly {
    name: string;
    error: ErrorDetails & { code: string; detail: string };
    traceId?: string;
    status: number;
    headers: Readonly<Record<string, string>>;
    document: unknown;
    back: GoldenError;
  }[];
  readonly statuses: readonly {
    name: string;
    status: number;
    headers?: Readonly<Record<string, string>>;
    body?: string;
    back: GoldenError;
  }[];
}

const needs = { clock: new ManualClock(), random: seededRandom(1) };

test('the golden error table is the one in force, row for row', () => {
  const inForce = Object.entries(errorTable).map(([code, row]) => ({
    code,
    http: row.httpStatus,
    grpc: row.grpcStatus,
    rsocket: row.rsocketError,
    executed: row.executed,
  }));
  assert.deepEqual(inForce, read('errors.json').errors);
});

suite('problems: an error becomes the golden document, and an error again', () => {
  for (const { name, error, traceId, status, headers, document, back } of golden().problems) {
    test(name, async () => {
      const { code, detail, ...details } = error;
      const trace = traceId === undefined ? undefined : { ...newTrace(needs.random), traceId };
      const call = trace && new Call({ ...needs, trace });
      const response = problemResponse(new FlotillaError(code, detail, details), call);
      assert.equal(response.status, status);
      assert.deepEqual(Object.fromEntries(response.headers), headers);

      const body = await readBody(response.body, 10_000, new Call(needs));
      assert.deepEqual(JSON.parse(new TextDecoder().decode(body)), document);
      assertError(errorFromResponse(response, body), back);
      assert.deepEqual(errorFromResponse(response, body).data, back.data);
    });
  }
});

suite('problems: what an answer without a document of ours stands for', () => {
  for (const { name, status, headers = {}, body = '', back } of golden().statuses) {
    test(name, () => {
      const response = { status, headers: new HttpHeaders(Object.entries(headers)), body: undefined };
      assertError(errorFromResponse(response, new TextEncoder().encode(body)), back);
    });
  }
});

function assertError(error: FlotillaError, expected: GoldenError): void {
  assert.equal(error.code, expected.code);
  if (expected.detail !== undefined) assert.equal(error.detail, expected.detail);
  assert.equal(error.httpStatus, expected.status);
  assert.equal(error.executed, expected.executed);
  assert.equal(error.retryAfterMs, expected.retryAfterMs);
  assert.equal(error.fromPeer, true);
}

function golden(): GoldenProblems {
  return read('problem.json');
}

function read(name: string) {
  return JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8'));
}
