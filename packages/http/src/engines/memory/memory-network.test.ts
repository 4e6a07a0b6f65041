import assert from 'node:assert/strict';
import { it } from 'node:test';
import { formatHostPort } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { Fixture, hasCode, nextText, pieces, request, response, Tap, text } from '../../../test/contract-support.ts';
import { type NetworkUnderTest, networkContract } from '../../../test/network-contract.ts';
import { pathFromSegments } from '../../path.ts';
import { type MemoryNetwork, memoryNetwork } from './index.ts';

const options = { timeout: 10_000 };

interface MemoryUnderTest extends NetworkUnderTest {
  readonly network: MemoryNetwork;
  readonly clock: ManualClock;
}

function underTest(): MemoryUnderTest {
  const clock = new ManualClock();
  const random = seededRandom(7);
  return {
    network: memoryNetwork({ clock, random }),
    clock,
    random,
    pass: (ms) => clock.advance(ms),
    // One timer may stay: that of the wheel on which all deadlines hang.
    leftovers: () => Array.from({ length: Math.max(0, clock.pendingTimers - 1) }, () => 'timer'),
  };
}

networkContract('in memory', underTest);

it('a listener on every address is found under any name', options, async () => {
  const { network, ...under } = underTest();
  const listener = await network.listen({ host: '0.0.0.0', port: 80 }, async () => response(200, 'here'));
  const fixture = new Fixture({ network, ...under });
  for (const host of ['orders', '10.0.0.1', 'localhost']) {
    const endpoint = network.connect({ protocol: 'http', host, port: 80 });
    assert.equal(await text((await endpoint.handle(request('GET', '/'), fixture.call())).body), 'here');
  }
  await listener.drain(0);
});

it('a partition refuses new calls and breaks those in hand, until it heals', options, async () => {
  const under = underTest();
  const fixture = new Fixture(under);
  const tap = new Tap();
  const { endpoint, target } = await fixture.serve(async ({ path }) =>
    response(200, path.text === '/stream' ? tap.body : 'whole'),
  );
  const answer = await endpoint.handle(request('GET', '/stream'), fixture.call());
  under.network.partition(formatHostPort(target));
  await assert.rejects(text(answer.body), hasCode('CONNECTION_LOST'));
  await assert.rejects(endpoint.handle(request('GET', '/'), fixture.call()), hasCode('CONNECT_FAILED', 'no'));
  under.network.heal(formatHostPort(target));
  await tap.left;
  const again = await endpoint.handle(request('GET', '/'), fixture.call());
  assert.equal(await text(again.body), 'whole');
  await fixture.close();
});

it('a silent partition lets calls wait for their connect time-out and streams stand still', options, async () => {
  const under = underTest();
  const fixture = new Fixture(under);
  const tap = new Tap();
  const { endpoint, target } = await fixture.serve(async () => response(200, tap.body));
  const body = pieces((await endpoint.handle(request('GET', '/'), fixture.call())).body);
  under.network.partition(formatHostPort(target), 'silent');
  tap.send('late');
  let arrived = false;
  const piece = nextText(body).then((value) => {
    arrived = true;
    return value;
  });
  const refused = assert.rejects(endpoint.handle(request('GET', '/'), fixture.call()), hasCode('CONNECT_FAILED', 'no'));
  await under.clock.advance(999);
  assert.equal(endpoint.load, 2);
  await under.clock.advance(1);
  await refused;
  assert.equal(arrived, false);
  under.network.heal(formatHostPort(target));
  assert.equal(await piece, 'late');
  tap.end();
  assert.equal(await nextText(body), undefined);
  await fixture.close();
});

it('latency delays a request by exactly that much', options, async () => {
  const under = underTest();
  const fixture = new Fixture(under);
  let arrivedAt = -1;
  const { endpoint, target } = await fixture.serve(async () => {
    arrivedAt = under.clock.now();
    return response(200);
  });
  under.network.setLatency(formatHostPort(target), 30);
  const answer = endpoint.handle(request('GET', '/'), fixture.call());
  await under.clock.advance(29);
  assert.equal(arrivedAt, -1);
  await under.clock.advance(1);
  assert.equal(arrivedAt, 30);
  await answer;
  await fixture.close();
});

it('an encoded slash is kept where the network is told so', options, async () => {
  const clock = new ManualClock();
  const network = memoryNetwork({ clock, random: seededRandom(1), encodedSlash: 'keep' });
  const fixture = new Fixture({ ...underTest(), network });
  const { endpoint } = await fixture.serve(async ({ path }) => response(200, path.segments.join('|')));
  const sent = { ...request('GET', '/'), path: pathFromSegments(['a/b', 'c']) };
  assert.equal(await text((await endpoint.handle(sent, fixture.call())).body), 'a/b|c');
  await fixture.close();
});

it('a descriptor cannot be listened on', options, async () => {
  const { network } = underTest();
  await assert.rejects(
    network.listen({ fd: 3 }, async () => response(200)),
    hasCode('START_FAILED'),
  );
});
