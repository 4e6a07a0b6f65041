import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, emptyBaggage, tenantKey } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { contract, get, query } from '@flotilla/rpc/contract';
import { z } from 'zod';
import { type App, service } from './app.ts';
import { startInMemory } from './testing.ts';

const Seen = z.object({ traceId: z.string(), tenant: z.string(), urgency: z.int(), remainingMs: z.number() });
const inner = contract({ name: 'inner', version: 1 }, { see: query({ out: Seen, http: get('/see') }) });
const outer = contract({ name: 'outer', version: 1 }, { ask: query({ out: Seen, http: get('/ask') }) });

/** visitor → front → back; no handler passes its call on by hand. */
function chain() {
  const back = service('back');
  back.handle(inner, {
    see: (_, call) => ({
      traceId: call.trace.traceId,
      tenant: call.tenant ?? '',
      urgency: call.urgency,
      remainingMs: call.remainingMs,
    }),
  });
  const front = service('front');
  const toBack = front.client(inner);
  front.handle(outer, { ask: () => toBack.see(undefined) });
  const visitor = service('visitor');
  const toFront = visitor.client(outer);
  return { apps: [back, front, visitor] as App<never>[], toFront };
}

const withTenant = new Map([...emptyBaggage, [tenantKey, 'acme']]);

test('trace, tenant, priority and deadline reach the last hop, though nobody passes them on', async () => {
  const clock = new ManualClock();
  const { apps, toFront } = chain();
  const fleet = await startInMemory(apps, { clock, random: seededRandom(7) });
  const call = new Call({
    clock,
    random: seededRandom(8),
    deadline: clock.now() + 5_000,
    baggage: withTenant,
    urgency: 1,
  });
  try {
    const seen = await toFront.ask(undefined, call);
    assert.deepEqual(
      { traceId: seen.traceId, tenant: seen.tenant, urgency: seen.urgency },
      { traceId: call.trace.traceId, tenant: 'acme', urgency: 1 },
    );
    // Each hop keeps 10 ms for the way back.
    assert.equal(seen.remainingMs, 4_980);
  } finally {
    call.end();
    await fleet.stop();
  }
});

test('a registry that is gone for hours is missed by nobody who is already there', async () => {
  const clock = new ManualClock();
  const { apps, toFront } = chain();
  const fleet = await startInMemory(apps, { clock, random: seededRandom(9) });
  try {
    await toFront.ask(undefined);
    fleet.network.partition('registry:8761');
    await clock.advance(3 * 3_600_000);
    const { tenant } = await toFront.ask(undefined);
    assert.equal(tenant, '');
    fleet.network.heal('registry:8761');
    await clock.advance(60_000);
    assert.equal([...fleet.registry.named('back')].length, 1, 'it registered again');
  } finally {
    await fleet.stop();
  }
});

test('who leaves is called no more, and work in hand ends', async () => {
  const clock = new ManualClock();
  const { apps, toFront } = chain();
  const fleet = await startInMemory(apps, { clock, random: seededRandom(10) });
  try {
    await toFront.ask(undefined);
    const [back] = fleet.services;
    const leaving = back?.stop('the test says so');
    await settle();
    await leaving;
    assert.equal([...fleet.registry.named('back')].length, 0);
    const refused = assert.rejects(toFront.ask(undefined), { code: 'NO_INSTANCE' });
    await clock.advance(30_000);
    await refused;
  } finally {
    await fleet.stop();
  }
});

const v1 = contract(
  { name: 'rates', version: 1 },
  { rate: query({ out: z.object({ by: z.string() }), http: get('/rate') }) },
);
const v2 = contract(
  { name: 'rates', version: 2 },
  { rate: query({ out: z.object({ by: z.string() }), http: get('/rate') }) },
);
const pets = contract(
  { name: 'pets', version: 1 },
  { rate: query({ out: z.object({ by: z.string() }), http: get('/rate') }) },
);

test('of instances with one name, a typed client calls only those that serve its contract in its version', async () => {
  const serving = (served: typeof v1, by: string): App<never> => {
    const app = service('rates');
    app.handle(served, { rate: () => ({ by }) });
    return app as App<never>;
  };
  const visitor = service('visitor');
  const named = visitor.client(v1, { service: 'rates' });
  const found = visitor.client(v2);
  const nobody = visitor.client(contract({ name: 'rates', version: 3 }, v1.operations));
  const silent = visitor.client(pets, { service: 'visitor' });
  const apps = [serving(v1, 'one'), serving(v2, 'two'), serving(pets, 'pets'), visitor as App<never>];
  const clock = new ManualClock();
  const fleet = await startInMemory(apps, { clock, random: seededRandom(11) });
  try {
    for (let n = 0; n < 20; n++) {
      assert.deepEqual(await named.rate(undefined), { by: 'one' });
      assert.deepEqual(await found.rate(undefined), { by: 'two' });
    }
    const refused = assert.rejects(nobody.rate(undefined), {
      code: 'NO_INSTANCE',
      message: /another contract or version/,
    });
    await clock.advance(30_000);
    await refused;
    // The visitor declares no contract: whoever names it reaches it, and hears from itself that it serves no such path.
    await assert.rejects(silent.rate(undefined), { code: 'NO_ROUTE' });
  } finally {
    await fleet.stop();
  }
});
