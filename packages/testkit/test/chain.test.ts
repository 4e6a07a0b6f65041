import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, emptyBaggage, FlotillaError, tenantKey } from '@flotilla/core';
import { ManualClock, seededRandom, settle, startFleet } from '@flotilla/testkit';
import { type App, type Client, service } from 'flotilla';
import { contract, get, query } from 'flotilla/contract';
import { z } from 'zod';

const Seen = z.object({ traceId: z.string(), tenant: z.string(), urgency: z.int(), remainingMs: z.number() });
const inner = contract({ name: 'inner', version: 1 }, { see: query({ out: Seen, http: get('/see') }) });
const outer = contract({ name: 'outer', version: 1 }, { ask: query({ out: Seen, http: get('/ask') }) });

/** visitor → front → back; no handler passes its call on by hand. */
function chain(): { readonly apps: readonly App[]; readonly toFront: Client<typeof outer> } {
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
  return { apps: [back, front, visitor], toFront };
}

const withTenant = new Map([...emptyBaggage, [tenantKey, 'acme']]);

test('trace, tenant, priority and deadline reach the last hop, though nobody passes them on', async () => {
  const clock = new ManualClock();
  const { apps, toFront } = chain();
  await using _fleet = await startFleet({ services: apps, clock });
  const call = new Call({
    clock,
    random: seededRandom(8),
    deadline: clock.now() + 5_000,
    baggage: withTenant,
    urgency: 1,
  });
  const seen = await toFront.ask(undefined, call);
  call.end();
  assert.deepEqual(
    { traceId: seen.traceId, tenant: seen.tenant, urgency: seen.urgency },
    { traceId: call.trace.traceId, tenant: 'acme', urgency: 1 },
  );
  // Each hop keeps 10 ms for the way back.
  assert.equal(seen.remainingMs, 4_980);
});

test('a registry that is gone for hours is missed by nobody who is already there', async () => {
  const clock = new ManualClock();
  const { apps, toFront } = chain();
  await using fleet = await startFleet({ services: apps, clock });
  await toFront.ask(undefined);
  fleet.network.around('registry').refuse();
  await clock.advance(3 * 3_600_000);
  const { tenant } = await toFront.ask(undefined);
  assert.equal(tenant, '');
  fleet.network.heal();
  await clock.advance(60_000);
  assert.equal([...fleet.registry.named('back')].length, 1, 'it registered again');
});

test('who leaves is called no more', async () => {
  const { apps, toFront } = chain();
  await using fleet = await startFleet({ services: apps, clock: new ManualClock() });
  await toFront.ask(undefined);
  await fleet.leave('back');
  assert.equal([...fleet.registry.named('back')].length, 0);
  await assert.rejects(fleet.until(toFront.ask(undefined)), { code: 'NO_INSTANCE' });
});

test('work in hand ends before a service leaves', async () => {
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow = service('slow');
  slow.handle(outer, {
    async ask(_, call) {
      begun.resolve();
      await release.promise;
      return { traceId: call.trace.traceId, tenant: '', urgency: 0, remainingMs: 0 };
    },
  });
  await using fleet = await startFleet({ services: [slow], clock: new ManualClock(), time: 'stands' });
  const answer = fleet.client(outer).ask(undefined);
  await begun.promise;
  const leaving = fleet.leave('slow');
  release.resolve();
  assert.match((await answer).traceId, /^[0-9a-f]{32}$/);
  await leaving;
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
  const serving = (served: typeof v1, by: string): App => {
    const app = service('rates');
    app.handle(served, { rate: () => ({ by }) });
    return app;
  };
  const visitor = service('visitor');
  const named = visitor.client(v1, { service: 'rates' });
  const found = visitor.client(v2);
  const nobody = visitor.client(contract({ name: 'rates', version: 3 }, v1.operations));
  const silent = visitor.client(pets, { service: 'visitor' });
  const apps = [serving(v1, 'one'), serving(v2, 'two'), serving(pets, 'pets'), visitor];
  await using fleet = await startFleet({ services: apps, clock: new ManualClock(), seed: 11 });
  for (let n = 0; n < 20; n++) {
    assert.deepEqual(await named.rate(undefined), { by: 'one' });
    assert.deepEqual(await found.rate(undefined), { by: 'two' });
  }
  await assert.rejects(fleet.until(nobody.rate(undefined)), {
    code: 'NO_INSTANCE',
    message: /another contract or version/,
  });
  // The visitor declares no contract: whoever names it reaches it, and hears from itself that it serves no such path.
  await assert.rejects(silent.rate(undefined), { code: 'NO_ROUTE' });
});

test('a filter of an application meets every request first, whatever it is for, and may refuse it', async () => {
  const back = service('back');
  back.handle(inner, { see: (_, call) => ({ traceId: call.trace.traceId, tenant: '', urgency: 3, remainingMs: 0 }) });
  const met: string[] = [];
  back.filter(() => (next) => (request, call) => {
    met.push(`outer ${request.path.text}`);
    return next(request, call);
  });
  back.filter(() => () => async () => {
    met.push('inner');
    throw new FlotillaError('FORBIDDEN', 'not today');
  });
  const visitor = service('visitor');
  const client = visitor.client(inner);
  await using _fleet = await startFleet({ services: [back, visitor], clock: new ManualClock() });
  await assert.rejects(client.see(undefined), { code: 'FORBIDDEN' });
  assert.deepEqual(met, ['outer /see', 'inner']);
});

test('repeated work calls others by its own call, from the start on, and ends with its service', async () => {
  const clock = new ManualClock();
  const back = service('back');
  let seen = 0;
  back.handle(inner, {
    see(_, call) {
      seen += 1;
      return { traceId: call.trace.traceId, tenant: '', urgency: 3, remainingMs: call.remainingMs };
    },
  });
  const busy = service('busy');
  const toBack = busy.client(inner);
  const remaining: number[] = [];
  busy.repeat('looking', { everyMs: 10_000, timeoutMs: 2_000 }, async () => {
    remaining.push((await toBack.see(undefined)).remainingMs);
  });
  const fleet = await startFleet({ services: [back, busy], clock, time: 'stands' });
  await settle();
  assert.equal(seen, 1);
  await clock.advance(11_000); // every 10 s, give or take a tenth
  assert.equal(seen, 2);
  assert.deepEqual(remaining, [1_990, 1_990], 'one hop keeps 10 ms of the time of the run');
  await fleet.stop();
  await clock.advance(60_000);
  assert.equal(seen, 2);
});
