import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { type Instance, identity, nullLogger, nullMeter, nullTracer, systemClock, systemRandom } from '@flotilla/core';
import { type HttpHandler, HttpHeaders, readBody } from '@flotilla/http';
import { rsocketTransport, speakRSocket } from '@flotilla/rpc/rsocket';
import { plainTransport } from '../client.ts';
import { fastNetwork } from '../engines/fast-network.ts';
import { createLazyFetch } from './fetch.ts';

const foundation = { clock: systemClock, random: systemRandom };

function instanceAt(port: number): Instance {
  return {
    id: 'orders:1',
    identity: identity('orders'),
    incarnation: 1,
    addresses: ['http', 'rsocket'].map((protocol) => ({ protocol, host: '127.0.0.1', port })),
    contracts: [],
    status: 'up',
    weight: 1,
    revision: 1,
    metadata: {},
    bags: {},
  };
}

/** Passes bytes on, and tells which protocol each connection began with. */
async function wireTap(port: number, begun: string[]) {
  const server = createServer((socket) => {
    const behind = connect(port, '127.0.0.1');
    socket.once('data', ([first]: Buffer) => begun.push(first === 0 ? 'RSocket' : 'HTTP/1.1'));
    socket.on('data', (bytes) => behind.write(bytes)).on('end', () => behind.end());
    behind.on('data', (bytes) => socket.write(bytes)).on('end', () => socket.end());
    for (const one of [socket, behind]) one.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test('a fetch of the fleet goes over RSocket to a handler that serves it, and over HTTP/1.1 when that is not wanted', async () => {
  const { network, connector } = fastNetwork(foundation);
  const handler: HttpHandler = async ({ method, path, body, headers }, call) => ({
    status: 201,
    headers: new HttpHeaders([['x-trace', headers.has('traceparent') ? call.trace.traceId : 'none']]),
    body: Buffer.from(`${method} ${path.text} ${Buffer.from(await readBody(body, 100, call))}`),
  });
  speakRSocket(handler, (_peer, http) => ({ responder: http }));
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
  const begun: string[] = [];
  const tap = await wireTap(listener.port, begun);
  const resolver = {
    watch(_target: unknown, update: (set: { instances: Instance[]; warming: boolean }) => void) {
      update({ instances: [instanceAt(tap.port)], warming: false });
      return { close() {} };
    },
  };
  const runtime = { ...foundation, network, resolver, logger: nullLogger, meter: nullMeter, tracer: nullTracer };
  const fast = rsocketTransport(connector, plainTransport(runtime), foundation);
  for (const [given, protocol] of [
    [{ ...runtime, fast }, 'RSocket'],
    [runtime, 'HTTP/1.1'],
  ] as const) {
    begun.length = 0;
    const balanced = createLazyFetch();
    balanced.connect(given);
    const answer = await balanced.fetch('http://orders/a?b=1', { method: 'POST', body: 'two' });
    assert.deepEqual([answer.status, await answer.text(), begun], [201, 'POST /a two', [protocol]]);
    assert.match(answer.headers.get('x-trace') ?? '', /^[0-9a-f]{32}$/);
    await balanced.close();
  }
  tap.close();
  await listener.drain(0);
});
