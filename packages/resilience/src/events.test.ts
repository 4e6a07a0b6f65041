import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Labels, Meter } from '@flotilla/core';
import { EventHub, type PolicyEvent } from './events.ts';

const event = (at: number): PolicyEvent => ({
  policy: 'breaker',
  kind: 'refused',
  target: 'orders',
  operation: 'get',
  at,
});

test('a subscriber gets what happens from then on, in order', async () => {
  const hub = new EventHub();
  hub.report(event(1));
  const subscription = hub.subscribe();
  hub.report(event(2));
  hub.report(event(3));
  const seen: number[] = [];
  for await (const { at } of subscription ?? []) {
    seen.push(at);
    if (at === 3) hub.report(event(4)); // reported while it reads
    if (at === 4) break;
  }
  assert.deepEqual(seen, [2, 3, 4]);
  assert.deepEqual(
    hub.recent().map(({ at }) => at),
    [1, 2, 3, 4],
  );
});

test('a subscriber that does not read costs a bounded queue, loses the oldest events and can tell how many', async () => {
  const hub = new EventHub({ maxQueued: 3 });
  const subscription = hub.subscribe();
  for (let at = 1; at <= 10; at++) hub.report(event(at));
  const seen: number[] = [];
  for await (const { at } of subscription ?? []) {
    seen.push(at);
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen, [8, 9, 10]);
  assert.equal(subscription?.takeDropped(), 7);
  assert.equal(subscription?.takeDropped(), 0);
});

test('the latest events are kept, no more than so many', () => {
  const hub = new EventHub({ maxRecent: 2 });
  for (let at = 1; at <= 5; at++) hub.report(event(at));
  assert.deepEqual(
    hub.recent().map(({ at }) => at),
    [4, 5],
  );
});

test('no more than so many listen; who leaves makes room, and closing ends them all', async () => {
  const hub = new EventHub({ maxSubscribers: 1 });
  const first = hub.subscribe();
  assert.equal(hub.subscribe(), undefined);
  first?.close();
  const second = hub.subscribe();
  assert.ok(second);
  const read = (async () => {
    for await (const _ of second) assert.fail('nothing happened');
  })();
  hub.close();
  await read;
  assert.ok(hub.subscribe());
});

test('every event is counted by policy, kind, target and operation; names without end become one series', () => {
  const counted = new Map<string, number>();
  const gauges = new Map<string, number>();
  const meter = {
    gauge: ({ name }: { name: string }) => ({
      with: (labels: Labels) => ({
        set: (value: number) => gauges.set([name, ...Object.values(labels)].join(' '), value),
      }),
    }),
    counter: () => ({
      with: (labels: Labels) => ({
        add: () => {
          const key = Object.values(labels).join(' ');
          counted.set(key, (counted.get(key) ?? 0) + 1);
        },
      }),
    }),
  } as unknown as Meter;
  const hub = new EventHub({ meter });
  hub.report(event(1));
  hub.report(event(2));
  for (let index = 0; index < 3_000; index++) hub.report({ ...event(index), target: `target-${index}` });
  assert.equal(counted.get('breaker refused orders get'), 2);
  assert.equal(counted.get('breaker refused other '), 1_001);
  assert.equal(counted.size, 2_001);
  hub.report({ ...event(1), kind: 'opened' } as PolicyEvent);
  assert.equal(gauges.get('flotilla_policy_breaker_open orders get'), 1);
  hub.report({ ...event(1), kind: 'closed' } as PolicyEvent);
  assert.equal(gauges.get('flotilla_policy_breaker_open orders get'), 0);
  hub.report({ policy: 'concurrency', kind: 'raised', target: 'server', at: 1, numbers: { limit: 30 } });
  assert.equal(gauges.get('flotilla_policy_concurrency_limit'), 30);
});
