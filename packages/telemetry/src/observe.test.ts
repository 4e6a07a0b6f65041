import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, FlotillaError, type Handler, type Logger, nullLogger, type Outcome, type Tracer } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { prometheusMeter } from './metrics/prometheus-meter.ts';
import { type ObserveOptions, observe } from './observe.ts';

function bench(kind: 'client' | 'server', options: Partial<ObserveOptions<string, string>> = {}) {
  const clock = new ManualClock();
  const meter = prometheusMeter({ processMetrics: false });
  const spans: unknown[] = [];
  const tracer: Tracer = {
    start: (name, spanKind) => ({
      setAttribute: (key, value) => spans.push([key, value]),
      end: (outcome: Outcome) => spans.push([name, spanKind, outcome?.code]),
    }),
  };
  const logged: unknown[] = [];
  const logger: Logger = { ...nullLogger, error: (message, fields) => logged.push([message, fields]) };
  const filter = observe<string, string>({ meter, tracer, logger, kind, name: (request) => request, ...options });
  const lines = async (): Promise<string[]> =>
    (await meter.render())
      .split('\n')
      .filter((line) => /^flotilla_(client|server)_.*(calls_total|in_flight|_sum|_count)/.test(line));
  return { clock, filter, spans, logged, lines, call: new Call({ clock, random: seededRandom(1) }) };
}

const answers: Handler<string, string> = async () => 'answer';

describe('observe', () => {
  it('sees of an answer that its call tells what it sees of one that it waits for', async () => {
    const failure = new FlotillaError('UNAVAILABLE', 'busy');
    const seen = async (outcome: Outcome, told: boolean): Promise<unknown> => {
      const { clock, filter, spans, lines, call } = bench('client');
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      if (told) call.told = { promise, instead: undefined };
      const answer = filter(() => promise)('list', call);
      assert.equal(answer === promise, told, 'it is handed on as it is');
      await clock.advance(250);
      call.end(outcome);
      if (outcome) reject(outcome);
      else resolve('answer');
      await answer.catch(() => {});
      return [spans, await lines()];
    };
    for (const outcome of [undefined, failure]) assert.deepEqual(await seen(outcome, true), await seen(outcome, false));
  });

  it('counts a call until its last byte, not until its answer begins', async () => {
    const { clock, filter, spans, lines, call } = bench('server', { labels: { service: 'catalog' } });
    assert.equal(await filter(answers)('list', call), 'answer');
    await clock.advance(250);
    assert.deepEqual(await sorted(lines), [
      `flotilla_server_duration_seconds_count{operation="list",service="catalog"} 0`,
      `flotilla_server_duration_seconds_sum{operation="list",service="catalog"} 0`,
      `flotilla_server_in_flight{operation="list",service="catalog"} 1`,
    ]);
    assert.deepEqual(spans, []);
    call.end();
    assert.deepEqual(await sorted(lines), [
      `flotilla_server_calls_total{operation="list",service="catalog",code="OK"} 1`,
      `flotilla_server_duration_seconds_count{operation="list",service="catalog"} 1`,
      `flotilla_server_duration_seconds_sum{operation="list",service="catalog"} 0.25`,
      `flotilla_server_in_flight{operation="list",service="catalog"} 0`,
    ]);
    assert.deepEqual(spans, [['list', 'server', undefined]]);
  });

  it('takes the outcome of a stream that breaks after its answer began', async () => {
    const { filter, spans, lines, call } = bench('client');
    await filter(answers)('list', call);
    call.end(new FlotillaError('CONNECTION_LOST', 'gone'));
    assert((await lines()).includes('flotilla_client_calls_total{operation="list",code="CONNECTION_LOST"} 1'));
    assert.deepEqual(spans, [['list', 'client', 'CONNECTION_LOST']]);
  });

  it('ends a client call that is refused on the way out at once, and once', async () => {
    const { filter, spans, lines, call } = bench('client');
    const refuse = filter(() => Promise.reject(new FlotillaError('NO_INSTANCE', 'none')));
    await assert.rejects(refuse('list', call), { code: 'NO_INSTANCE' });
    call.end();
    assert((await lines()).includes('flotilla_client_calls_total{operation="list",code="NO_INSTANCE"} 1'));
    assert((await lines()).includes('flotilla_client_in_flight{operation="list"} 0'));
    assert.equal(spans.length, 1);
  });

  it('ends a failed call of a server with the call, under the code of the failure', async () => {
    const { filter, lines, call } = bench('server');
    const fail = filter(() => Promise.reject(new FlotillaError('FORBIDDEN', 'no')));
    await assert.rejects(fail('list', call), { code: 'FORBIDDEN' });
    assert((await lines()).includes('flotilla_server_in_flight{operation="list"} 1'));
    call.end();
    assert((await lines()).includes('flotilla_server_calls_total{operation="list",code="FORBIDDEN"} 1'));
    assert((await lines()).includes('flotilla_server_in_flight{operation="list"} 0'));
  });

  it('logs on a server what nobody declared, with its cause, and passes it on as INTERNAL', async () => {
    const { filter, logged, call } = bench('server');
    const cause = new TypeError('x is not y');
    await assert.rejects(
      filter(() => Promise.reject(cause))('list', call),
      (error: FlotillaError) => error.code === 'INTERNAL' && error.cause === cause,
    );
    assert.deepEqual(logged, [['handler failed', { operation: 'list', cause }]]);
  });

  it('takes code and attributes from request and response', async () => {
    const { filter, spans, lines, call } = bench('server', {
      code: (response) => `HTTP_${response}`,
      requestAttributes: (request) => ({ 'url.path': request }),
      responseAttributes: (response) => ({ status: response }),
    });
    await filter(async () => '404')('list', call);
    call.end();
    assert((await lines()).includes('flotilla_server_calls_total{operation="list",code="HTTP_404"} 1'));
    assert.deepEqual(spans, [
      ['url.path', 'list'],
      ['status', '404'],
      ['list', 'server', undefined],
    ]);
  });

  it('counts calls in flight together per operation', async () => {
    const { clock, filter, lines } = bench('server');
    const calls = [1, 2, 3].map((seed) => new Call({ clock, random: seededRandom(seed) }));
    for (const call of calls) await filter(answers)('list', call);
    calls[1]?.end();
    assert((await lines()).includes('flotilla_server_in_flight{operation="list"} 2'));
  });

  it('holds 1 000 operations and puts the rest together', async () => {
    const { clock, filter, lines } = bench('server');
    const observed = filter(answers);
    for (let i = 0; i < 1_100; i++) {
      const call = new Call({ clock, random: seededRandom(i) });
      await observed(`path${i}`, call);
      call.end();
    }
    assert((await lines()).some((line) => /^flotilla_server_calls_total\{operation="other",.* \d+$/.test(line)));
    assert((await lines()).length <= 4 * 1_001);
  });
});

async function sorted(lines: () => Promise<string[]>): Promise<string[]> {
  return (await lines()).sort();
}
