import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, FlotillaError, nullTracer, type Tracer } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { answerNowOf, HttpHeaders, type HttpRequest, pathFromText } from '@flotilla/http';
import { prometheusMeter } from '@flotilla/telemetry';
import { observed } from './observed-requests.ts';

const recorded = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const notRecorded = recorded.replace(/01$/, '00');

/** Spans as text, in the order in which they end. */
class Spans implements Tracer {
  readonly ended: string[] = [];

  start(name: string, kind: string, call: Call) {
    const attributes = new Map<string, unknown>();
    return {
      setAttribute: (key: string, value: unknown) => void attributes.set(key, value),
      end: () => {
        const status = attributes.get('http.response.status_code');
        this.ended.push(`${name} ${kind} ${attributes.get('url.path')} ${status} ${call.trace.traceId}`);
      },
    };
  }
}

function observing(tracer: Tracer) {
  const clock = new ManualClock();
  const random = seededRandom(1);
  const meter = prometheusMeter({ processMetrics: false });
  const response = (status: number) => ({ status, headers: new HttpHeaders(), body: undefined });
  const handler = observed(
    async ({ path }) => {
      await clock.advance(20);
      if (path.text === '/refused') throw new FlotillaError('FORBIDDEN', 'not you');
      return response(204);
    },
    ({ path }) => (path.text === '/beat' ? response(200) : undefined),
    { meter, tracer },
  );
  const requestOf = (path: string, fields: Record<string, string>): HttpRequest => ({
    method: 'PUT',
    authority: 'h',
    path: pathFromText(path),
    query: '',
    headers: new HttpHeaders(Object.entries(fields)),
    body: undefined,
  });
  /** As an engine asks: at once, and if that is declined, by a call. */
  const send = async (path: string, fields: Record<string, string> = {}) => {
    const request = requestOf(path, fields);
    const now = answerNowOf(handler)?.(request, { clock, params: new Map() });
    if (now) return `${now.status} at once`;
    const call = new Call({ clock, random });
    try {
      return `${(await handler(request, call)).status} by a call`;
    } catch (thrown) {
      return String((thrown as FlotillaError).code);
    } finally {
      call.end();
    }
  };
  return { meter, send };
}

test('answers at once and by calls are counted alike, refusals too', async () => {
  const { meter, send } = observing(nullTracer);
  assert.equal(await send('/beat'), '200 at once');
  assert.equal(await send('/beat'), '200 at once');
  assert.equal(await send('/other'), '204 by a call');
  assert.equal(await send('/refused'), 'FORBIDDEN');
  const text = await meter.render();
  for (const line of [
    'flotilla_registry_requests_total{status="200"} 2',
    'flotilla_registry_requests_total{status="204"} 1',
    'flotilla_registry_requests_total{status="403"} 1',
    'flotilla_registry_request_seconds_count 4',
    'flotilla_registry_request_seconds_bucket{le="0.01"} 2',
    'flotilla_registry_request_seconds_bucket{le="0.02"} 4',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
  }
});

test('a request of a trace that is being recorded has a span; others are answered at once', async () => {
  const spans = new Spans();
  const { send } = observing(spans);
  assert.equal(await send('/beat', { traceparent: recorded }), '204 by a call');
  assert.equal(await send('/beat', { traceparent: notRecorded }), '200 at once');
  assert.equal(await send('/beat', { traceparent: 'no trace' }), '200 at once');
  assert.equal(await send('/refused'), 'FORBIDDEN');
  assert.deepEqual(
    spans.ended.map((span) => span.replace(/ [0-9a-f]{32}$/, '')),
    ['PUT server /beat 204', 'PUT server /refused 403'],
  );
});

test('where nobody collects traces all go the short way', async () => {
  const { send } = observing(nullTracer);
  assert.equal(await send('/beat', { traceparent: recorded }), '200 at once');
});
