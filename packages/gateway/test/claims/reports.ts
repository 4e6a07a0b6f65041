import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Span, Tracer } from '@flotilla/core';
import { prometheusMeter } from '@flotilla/telemetry';
import { answer, type EngineUnderTest, World } from '../support.ts';

export function reportClaims(engine: () => EngineUnderTest): void {
  describe('reports', () => {
    it('one line for each request, at its end, without its query', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async () => answer(201, 'seven b'));
      await world.open({ id: 'shop', path: '/shop/**', to: url });
      await world.ask('POST', '/shop/cart', { query: 'token=secret', body: 'x' });
      await world.ask('GET', '/elsewhere');
      await world.close();
      const lines = world.lines.filter(({ message }) => message === 'request');
      assert.equal(lines.length, 2);
      const [{ fields }, missed] = lines as [(typeof lines)[0], (typeof lines)[0]];
      const { durationMs, traceId, ...rest } = fields;
      assert.deepEqual(rest, {
        method: 'POST',
        path: '/shop/cart',
        route: 'shop',
        status: 201,
        bytesOut: 7,
        client: '127.0.0.1',
        upstream: url,
        outcome: 'OK',
        reason: undefined,
      });
      assert.equal(typeof durationMs, 'number');
      assert.match(String(traceId), /^[0-9a-f]{32}$/);
      assert.deepEqual(
        [missed.fields['route'], missed.fields['status'], missed.fields['outcome']],
        [undefined, 404, 'NO_ROUTE'],
      );
      assert.doesNotMatch(JSON.stringify(world.lines), /secret/);
    });

    it('metrics by route and status', async () => {
      const meter = prometheusMeter({ processMetrics: false });
      const world = new World(engine(), { meter });
      const { url } = await world.serve(async ({ path }) => answer(Number(path.text.slice(1))));
      await world.open({ id: 'shop', path: '/{status}', to: url });
      for (const path of ['/200', '/200', '/500', '/no/route']) await world.ask('GET', path);
      await world.close();
      const text = await meter.render();
      for (const line of [
        'flotilla_gateway_requests_total{route="shop",code="200"} 2',
        'flotilla_gateway_requests_total{route="shop",code="500"} 1',
        'flotilla_gateway_requests_total{route="(none)",code="404"} 1',
        'flotilla_gateway_failures_total{route="(none)",code="NO_ROUTE"} 1',
        'flotilla_gateway_duration_seconds_count{route="shop"} 3',
        'flotilla_gateway_in_flight 0',
        'flotilla_gateway_reloads_total{result="applied"} 1',
        'flotilla_gateway_table_version 1',
      ]) {
        assert(text.includes(`${line}\n`), `${line} is missing in\n${text}`);
      }
    });

    it('a server span around a client span, in one trace', async () => {
      const spans: {
        name: string;
        kind: string;
        trace: string;
        span: string;
        parent: string | undefined;
        ended: boolean;
      }[] = [];
      const tracer: Tracer = {
        start(name, kind, call): Span {
          const { traceId, spanId } = call.trace;
          const one = { name, kind, trace: traceId, span: spanId, parent: call.parent?.trace.spanId, ended: false };
          spans.push(one);
          return {
            setAttribute() {},
            end() {
              one.ended = true;
            },
          };
        },
      };
      const world = new World(engine(), { tracer });
      const { url } = await world.serve(async () => answer(200));
      await world.open({ id: 'shop', path: '/**', to: url });
      await world.ask('GET', '/');
      await world.close();
      const [server, client] = spans;
      assert.deepEqual([server?.kind, client?.kind], ['server', 'client']);
      assert.equal(client?.trace, server?.trace);
      assert.equal(client?.parent, server?.span);
      assert(spans.every(({ ended }) => ended));
    });

    it('its routes with their counts, which a reload keeps', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async () => answer(200));
      const route = { id: 'shop', path: '/shop/**', to: url, headers: { 'x-a': '*' } };
      await world.open(route);
      await world.ask('GET', '/shop', { headers: [['x-a', '1']] });
      world.apply({ routes: [{ ...route, priority: 1 }] });
      await world.ask('GET', '/shop', { headers: [['x-a', '1']] });
      const [view] = world.gateway.routes();
      assert.deepEqual(view?.counts, { requests: 2, inFlight: 0, failures: 0 });
      assert.deepEqual([view?.to, view?.headers, view?.priority], [url, { 'x-a': '*' }, 1]);
      assert.deepEqual(JSON.parse(JSON.stringify(view)), view);
      await world.close();
    });
  });
}
