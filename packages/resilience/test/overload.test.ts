import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import { ServerGuard } from '../src/server-guard.ts';
import { type GivenServerPolicies, resolveServerPolicies } from '../src/server-policies.ts';
import { openLoad, type Result, SimulatedServer, type Work } from './simulated-server.ts';

const restMs = 5_000;

async function run(work: Work, times: number, given: GivenServerPolicies = {}, overloadMs = 30_000, seed = 1) {
  const random = seededRandom(seed);
  const server = new SimulatedServer(work, random);
  const guard = new ServerGuard({ policies: resolveServerPolicies(given), clock: server.clock, load: server });
  const capacity = 1_000 / (work.computeMs + work.admitMs);
  const phases = [
    { perSecond: capacity / 5, ms: restMs },
    { perSecond: capacity * times, ms: overloadMs },
    { perSecond: capacity / 5, ms: restMs },
  ];
  await server.run(guard, openLoad(phases, random));
  const during = (from: number, to: number): Result[] =>
    server.results.filter(({ sentAt }) => sentAt >= from && sentAt < to);
  const overload = during(restMs, restMs + overloadMs);
  const good = (results: readonly Result[]): Result[] =>
    results.filter((each) => each.good && each.endedAt - each.sentAt <= 1_000);
  const percentile = (results: readonly Result[], share: number): number => {
    const times = good(results)
      .map(({ sentAt, endedAt }) => endedAt - sentAt)
      .sort((a, b) => a - b);
    return times[Math.floor(times.length * share)] ?? Number.NaN;
  };
  const rest = during(0, restMs);
  const critical = overload.filter(({ urgency }) => urgency === 0);
  const after = during(restMs + overloadMs, Infinity);
  const lastBad = after
    .filter((each) => !each.good || each.endedAt - each.sentAt > percentile(rest, 0.99) * 1.5)
    .at(-1);
  return {
    goodput: good(overload).length / (overloadMs / 1_000) / capacity,
    restP99: percentile(rest, 0.99),
    p99: percentile(overload, 0.99) / percentile(rest, 0.99),
    median: percentile(overload, 0.5) / percentile(rest, 0.5),
    critical: good(critical).length / critical.length,
    restRefused: rest.filter((each) => !each.good).length,
    recoveryMs: lastBad ? lastBad.sentAt - restMs - overloadMs : 0,
    limit: guard.limit,
  };
}

/** With what refusals cost, more than this share of the capacity is not to be had. */
function possible({ computeMs, admitMs, refuseMs }: Work, times: number): number {
  const capacity = 1_000 / (computeMs + admitMs);
  return (1_000 - times * capacity * (admitMs + refuseMs)) / (computeMs - refuseMs) / capacity;
}

const works: readonly (readonly [name: string, work: Work, p99AtMost: number])[] = [
  ['a wait and some computing', { waitMs: 4, computeMs: 2, admitMs: 0.05, refuseMs: 0.06 }, 3],
  ['a wait and as much computing as the bench', { waitMs: 4, computeMs: 1, admitMs: 0.05, refuseMs: 0.015 }, 3],
  // At rest nobody waits for anybody; now there are always the few in hand that the limit never falls below.
  ['computing only', { waitMs: 0, computeMs: 2, admitMs: 0.05, refuseMs: 0.06 }, 6],
  ['a long wait and little computing', { waitMs: 50, computeMs: 1, admitMs: 0.05, refuseMs: 0.06 }, 3],
];
for (const [name, work, p99AtMost] of works) {
  test(`offered three times what it can do, a server goes on: ${name}`, async () => {
    const result = await run(work, 3);
    assert.equal(result.restRefused, 0, 'nobody is refused at rest');
    assert.ok(result.goodput >= 0.9 * possible(work, 3), `goodput ${result.goodput} of ${possible(work, 3)}`);
    assert.ok(result.p99 <= p99AtMost, `p99 ${result.p99} × that at rest`);
    assert.ok(result.critical >= 0.99, `critical ${result.critical}`);
    assert.ok(result.recoveryMs <= 2_000, `recovery ${result.recoveryMs} ms`);
  });
}

const [[, work]] = works as [(typeof works)[0]];

test('who computes only and says that one call in hand is enough answers sooner', async () => {
  const [, , [, computing]] = works as [unknown, unknown, (typeof works)[0]];
  const result = await run(computing, 3, { concurrency: { minLimit: 1 } });
  assert.ok(result.p99 <= 3, `p99 ${result.p99} × that at rest`);
  assert.ok(result.goodput >= 0.9 * possible(computing, 3), `goodput ${result.goodput}`);
});

test('also of an overload that is over soon next to nobody is late, by a tenth of a second at most', async () => {
  const { p99, restP99, critical } = await run(work, 3, {}, 1_000);
  assert.ok(p99 * restP99 <= 100, `${p99 * restP99} ms`);
  assert.ok(critical >= 0.99, `critical ${critical}`);
});

for (const waitMs of [0, 1, 20]) {
  test(`a thousand cheap calls at once in a quiet time are answered: each waits ${waitMs} ms`, async () => {
    const random = seededRandom(1);
    const server = new SimulatedServer({ waitMs, computeMs: 0.05, admitMs: 0.02, refuseMs: 0.01 }, random);
    const guard = new ServerGuard({ policies: resolveServerPolicies(), clock: server.clock, load: server });
    const trickle = openLoad([{ perSecond: 50, ms: 4_000 }], random);
    const burst = Array.from({ length: 1_000 }, () => ({ at: 2_000, urgency: 3 }));
    await server.run(
      guard,
      [...trickle, ...burst].sort((one, other) => one.at - other.at),
    );
    // As many as come while the burst stands for more than 50 ms.
    const refused = server.results.filter(({ good }) => !good).length;
    assert.ok(refused <= 10, `${refused} of ${server.results.length}`);
  });
}

test('without limits the same server answers next to nobody in time', async () => {
  const never = { initialLimit: 100_000, minLimit: 100_000, maxLimit: 100_000 };
  const off = await run(work, 3, { concurrency: never });
  assert.ok(off.goodput < 0.2, `goodput ${off.goodput}`);
});

test('at four fifths of what it can do nobody is refused', async () => {
  const { goodput, critical } = await run(work, 0.8);
  assert.ok(goodput >= 0.79 && critical === 1, `goodput ${goodput}`);
});
