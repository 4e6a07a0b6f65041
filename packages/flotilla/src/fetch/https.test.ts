import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, identity, nullLogger, nullMeter, nullTracer, systemClock, systemRandom } from '@flotilla/core';
import { routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { createLazyFetch } from './fetch.ts';

const foundation = { clock: systemClock, random: systemRandom };
const network = nodeNetwork(foundation);

function instanceAt(protocol: string, port: number): Instance {
  return {
    id: 'spring:1',
    identity: identity('spring'),
    incarnation: 1,
    addresses: [{ protocol, host: '127.0.0.1', port }],
    contracts: [],
    status: 'up',
    weight: 1,
    revision: 1,
    metadata: {},
    bags: {},
  };
}

test('an instance that offers only https is spoken to encrypted: one that cannot is not asked in clear', async () => {
  let asked = 0;
  const plain = await network.listen({ host: '127.0.0.1', port: 0 }, async (request, call) => {
    asked++;
    return routesHandler([])(request, call);
  });
  const resolver = {
    watch(_target: unknown, update: (set: { instances: Instance[]; warming: boolean }) => void) {
      update({ instances: [instanceAt('https', plain.port)], warming: false });
      return { close() {} };
    },
  };
  const balanced = createLazyFetch();
  balanced.connect({ ...foundation, network, resolver, logger: nullLogger, meter: nullMeter, tracer: nullTracer });
  for (const url of ['http://spring/x', 'https://spring/x']) {
    await assert.rejects(balanced.fetch(url, { retry: false }), {
      code: 'CONNECT_FAILED',
      executed: 'no',
      message: /127\.0\.0\.1/,
    });
  }
  assert.equal(asked, 0);
  await balanced.close();
  await plain.drain(0);
});
