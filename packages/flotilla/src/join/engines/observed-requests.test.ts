import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { type Call, currentCall, nullLogger, nullTracer, systemClock, systemRandom } from '@flotilla/core';
import { prometheusMeter } from '@flotilla/telemetry';
import { nodeAppServer } from './node-app-server.ts';
import { ObservedRequests } from './observed-requests.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** An app, seen as `join` sees it. */
async function observed(listener: Parameters<typeof createServer>[1]) {
  const meter = prometheusMeter({ processMetrics: false });
  const requests = new ObservedRequests({
    clock: systemClock,
    random: systemRandom,
    meter,
    tracer: nullTracer,
    logger: nullLogger,
  });
  server = createServer(listener as never);
  const place = { host: '127.0.0.1', port: 0 };
  const app = nodeAppServer({ server, place, onStop: undefined, requests, clock: systemClock });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { app, requests, meter, url: `http://127.0.0.1:${port}`, port };
}

const traceparent = (digit: string): string => `00-${digit.repeat(32)}-${'1'.repeat(16)}-01`;

test('each request has its own call, also on one connection, and nothing of it stays behind', async () => {
  const seen: (string | undefined)[] = [];
  const { url } = await observed((request, response) => {
    const before = currentCall()?.trace.traceId;
    setImmediate(() => {
      seen.push(before === currentCall()?.trace.traceId ? before : 'another one');
      response.end(request.url);
    });
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const digit of ['a', 'b', 'c']) {
    await new Promise<void>((resolve) => {
      send(url, { agent, headers: { traceparent: traceparent(digit) } }, (response) => {
        response.resume().once('end', resolve);
      }).end();
    });
  }
  await (await fetch(url)).text();
  agent.destroy();
  assert.deepEqual(seen.slice(0, 3), ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)]);
  assert.match(seen[3] ?? '', /^[0-9a-f]{32}$/);
  assert.notEqual(seen[3], 'c'.repeat(32), 'a request without a trace begins one');
  assert.equal(currentCall(), undefined);
});

test('deadline, baggage and the end of the caller reach the call', async () => {
  const { promise: handled, resolve } = Promise.withResolvers<Call | undefined>();
  const { url } = await observed(() => resolve(currentCall()));
  const controller = new AbortController();
  const headers = { 'flotilla-timeout-ms': '5000', baggage: 'flotilla.tenant=acme' };
  fetch(url, { headers, signal: controller.signal }).catch(() => {});
  const call = await handled;
  assert.ok(call);
  assert.equal(call.tenant, 'acme');
  assert.ok(call.remainingMs > 0 && call.remainingMs <= 5_000);
  const cancelled = once(call.signal, 'abort');
  controller.abort();
  await cancelled;
  assert.equal(call.cancelled?.code, 'CANCELLED');
});

test('answers are counted by what they say, and a caller that went away as such', async () => {
  const { url, meter, requests } = await observed((request, response) => {
    if (request.url === '/hang') return;
    response.statusCode = Number(request.url?.slice(1));
    response.end();
  });
  for (const status of [200, 404, 503]) await (await fetch(`${url}/${status}`)).text();
  const controller = new AbortController();
  const hanging = fetch(`${url}/hang`, { signal: controller.signal });
  await once(server, 'request');
  controller.abort();
  await assert.rejects(hanging);
  await requests.idle();
  const metrics = await meter.render();
  for (const code of ['OK', 'NO_ROUTE', 'UNAVAILABLE', 'CANCELLED']) {
    assert.match(metrics, new RegExp(`flotilla_server_calls_total\\{operation="GET",code="${code}"\\} 1`));
  }
});

test('what the framework does is its own: its answer arrives as it was written', async () => {
  const { url } = await observed((request, response) => {
    response.writeHead(418, { 'x-mine': 'kept' });
    request.on('data', (chunk) => response.write(chunk));
    request.once('end', () => response.end('!'));
  });
  const response = await fetch(url, { method: 'POST', body: 'hello' });
  assert.deepEqual([response.status, response.headers.get('x-mine'), await response.text()], [418, 'kept', 'hello!']);
});

test('while it leaves, each answer ends its connection; what is in hand is waited for, the rest is broken off', async () => {
  const { app, url } = await observed((request, response) => {
    if (request.url !== '/never') response.end('done');
  });
  assert.equal((await fetch(url)).headers.get('connection'), 'keep-alive');
  app.leaving();
  assert.equal((await fetch(url)).headers.get('connection'), 'close');
  const never = assert.rejects(fetch(`${url}/never`));
  await once(server, 'request');
  assert.equal(app.inFlight, 1);
  assert.equal(await app.close(20), 1, 'one request was broken off');
  await never;
  assert.equal(app.address(), undefined);
});
