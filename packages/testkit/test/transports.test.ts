import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, FlotillaError, tenantKey } from '@flotilla/core';
import { ManualClock, seededRandom, startFleet } from '@flotilla/testkit';
import { type App, bind, type Client, callerOf, service } from 'flotilla';
import { command, contract, duplex, get, notify, query, stream, upload } from 'flotilla/contract';
import { z } from 'zod';

const Seen = z.object({ traceId: z.string(), tenant: z.string(), priority: z.string(), hasDeadline: z.boolean() });
type Seen = z.infer<typeof Seen>;
const inner = contract(
  { name: 'inner', version: 1 },
  {
    see: query({ out: Seen, http: get('/see') }),
    watch: stream({ out: Seen }),
    gather: upload({ in: z.number(), out: Seen }),
    mirror: duplex({ in: z.number(), out: Seen }),
  },
);
const outer = contract({ name: 'outer', version: 1 }, { ask: query({ out: Seen }), follow: stream({ out: Seen }) });

const seenIn = (call: Call): Seen => ({
  traceId: call.trace.traceId,
  tenant: call.tenant ?? '',
  priority: call.priority,
  hasDeadline: call.deadline < Infinity,
});

/** visitor → front → back; no handler passes its call on by hand. `how` says what the front calls. */
function chain(how: (toBack: Client<typeof inner>) => Promise<Seen>): {
  readonly apps: readonly App[];
  readonly toFront: Client<typeof outer>;
} {
  const back = service('back');
  back.handle(inner, {
    see: (_, call) => seenIn(call),
    async *watch(_, call) {
      yield seenIn(call);
    },
    async gather(numbers, call) {
      for await (const _ of numbers);
      return seenIn(call);
    },
    async *mirror(numbers, call) {
      for await (const _ of numbers) yield seenIn(call);
    },
  });
  const front = service('front');
  const toBack = front.client(inner);
  front.handle(outer, {
    ask: () => how(toBack),
    async *follow() {
      yield await how(toBack);
      yield await how(toBack);
    },
  });
  const visitor = service('visitor');
  return { apps: [back, front, visitor], toFront: visitor.client(outer) };
}

async function firstOf(elements: AsyncIterable<Seen>): Promise<Seen> {
  for await (const element of elements) return element;
  throw new Error('it had no element');
}

const ways: Readonly<Record<string, (toBack: Client<typeof inner>) => Promise<Seen>>> = {
  'one answer': (toBack) => toBack.see(undefined),
  'a stream': (toBack) => firstOf(toBack.watch(undefined)),
  'an upload': (toBack) => toBack.gather([1, 2]),
  'both ways': (toBack) => firstOf(toBack.mirror([1, 2])),
};

for (const transport of ['auto', 'http'] as const) {
  describe(`with transport ${transport}`, () => {
    const entriesOf = (apps: readonly App[]) => apps.map((app) => ({ app, config: { transport } }));
    const callFor = (clock: ManualClock): Call =>
      new Call({
        clock,
        random: seededRandom(8),
        deadline: clock.now() + 5_000,
        baggage: new Map([[tenantKey, 'acme']]),
        urgency: 1,
      });

    it('an instance advertises what it speaks', async () => {
      const { apps } = chain((toBack) => toBack.see(undefined));
      await using fleet = await startFleet({ services: entriesOf(apps), clock: new ManualClock() });
      const [copy] = fleet.copies('back');
      const spoken = copy?.instance.addresses.map(({ protocol }) => protocol);
      assert.deepEqual(spoken, transport === 'auto' ? ['http', 'rsocket'] : ['http']);
    });

    for (const [what, how] of Object.entries(ways)) {
      it(`context reaches the last hop of ${what}, though nobody passes it on`, async () => {
        const clock = new ManualClock();
        const { apps, toFront } = chain(how);
        await using fleet = await startFleet({ services: entriesOf(apps), clock });
        const call = callFor(clock);
        const expected = { traceId: call.trace.traceId, tenant: 'acme', priority: 'critical', hasDeadline: true };
        assert.deepEqual(await fleet.until(toFront.ask(undefined, call)), expected);
        const followed: Seen[] = [];
        const follow = async (): Promise<void> => {
          for await (const seen of toFront.follow(undefined, call)) followed.push(seen);
        };
        await fleet.until(follow());
        assert.deepEqual(followed, [expected, expected]);
        call.end();
      });
    }

    it('context survives a retry', async () => {
      const clock = new ManualClock();
      const { apps, toFront } = chain((toBack) => toBack.see(undefined));
      await using fleet = await startFleet({ services: entriesOf(apps), clock });
      fleet.network.from('front').to('back').lose('before-sending', { times: 1 });
      const call = callFor(clock);
      const seen = await fleet.until(toFront.ask(undefined, call));
      assert.deepEqual([seen.traceId, seen.tenant, seen.priority], [call.trace.traceId, 'acme', 'critical']);
      call.end();
    });

    it('filters of an application see every call, and may refuse it', async () => {
      const seen: string[] = [];
      const app = service('guarded');
      app.filter(() => (next) => (request, call) => {
        seen.push(`${request.method} ${request.path.text}`);
        if (request.query === 'id=secret') throw new FlotillaError('FORBIDDEN', 'not this one');
        return next(request, call);
      });
      const guarded = contract(
        { name: 'guarded', version: 1 },
        {
          get: query({ in: z.object({ id: z.string() }), out: z.object({ id: z.string() }), http: get('/things') }),
          list: stream({ out: z.number() }),
          sum: upload({ in: z.number(), out: z.number() }),
        },
      );
      app.handle(guarded, {
        get: ({ id }) => ({ id }),
        async *list() {
          yield 1;
          yield 2;
        },
        async sum(numbers) {
          let sum = 0;
          for await (const n of numbers) sum += n;
          return sum;
        },
      });
      await using fleet = await startFleet({ services: entriesOf([app]), clock: new ManualClock() });
      const client = fleet.client(guarded);
      assert.deepEqual(await client.get({ id: 'a b' }), { id: 'a b' });
      await assert.rejects(client.get({ id: 'secret' }), { code: 'FORBIDDEN', fromPeer: true });
      const listed: number[] = [];
      for await (const n of client.list(undefined)) listed.push(n);
      assert.deepEqual(listed, [1, 2]);
      assert.equal(await client.sum([1, 2, 3]), 6);
      assert.deepEqual(seen, ['GET /things', 'GET /things', 'POST /guarded/v1/list', 'POST /guarded/v1/sum']);
    });

    it('a rolling restart loses no call, over sockets', async () => {
      const app = service('steady');
      const steady = contract({ name: 'steady', version: 1 }, { get: query({ out: z.number() }), add: command({}) });
      app.handle(steady, { get: () => 7, add: () => {} });
      const entry = { app, copies: 3, config: { transport, drainNoticeMs: 300 } };
      await using fleet = await startFleet({ services: [entry], network: 'sockets' });
      const client = fleet.client(steady);
      let answered = 0;
      let going = true;
      const calling = Array.from({ length: 4 }, async () => {
        while (going) {
          assert.equal(await client.get(undefined), 7);
          await client.add(undefined); // nobody repeats it, unless it certainly was not done
          answered += 2;
        }
      });
      for (const { name } of fleet.copies('steady')) await fleet.restart(name);
      going = false;
      await Promise.all(calling);
      assert.ok(answered > 10, `${answered} calls were answered`);
    });
  });
}

it('a caller that may only use HTTP calls a service that speaks both, and the other way round', async () => {
  for (const [front, back] of [
    ['http', 'auto'],
    ['auto', 'http'],
  ] as const) {
    const { apps, toFront } = chain((toBack) => toBack.see(undefined));
    const services = apps.map((app) => ({ app, config: { transport: app.name === 'back' ? back : front } }));
    await using fleet = await startFleet({ services, clock: new ManualClock() });
    assert.match((await fleet.until(toFront.ask(undefined))).traceId, /^[0-9a-f]{32}$/);
  }
});

describe('a notification that nobody acknowledges', () => {
  const gauge = contract({ name: 'gauge', version: 1 }, { read: notify({ in: z.number(), acknowledged: false }) });

  for (const transport of ['auto', 'http'] as const) {
    it(`reaches the callee, and its failure the caller only over HTTP: ${transport}`, async () => {
      const readings: number[] = [];
      const read = Promise.withResolvers<void>();
      const meter = service('meter');
      meter.handle(gauge, {
        read(value) {
          readings.push(value);
          if (value < 0) read.resolve();
          if (value < 0) throw new FlotillaError('UNAVAILABLE', 'no such value', { executed: 'yes' });
        },
      });
      const reader = service('reader');
      const client = reader.client(gauge);
      const services = [meter, reader].map((app) => ({ app, config: { transport } }));
      await using fleet = await startFleet({ services, clock: new ManualClock() });
      await fleet.until(client.read(1));
      const failing = fleet.until(client.read(-1));
      if (transport === 'http') await assert.rejects(failing, { code: 'UNAVAILABLE' });
      else await failing;
      await read.promise;
      assert.deepEqual(readings, [1, -1]);
    });
  }
});

describe('calls back to the caller', () => {
  const events = contract(
    { name: 'events', version: 1 },
    { progress: command({ in: z.object({ percent: z.number() }), out: z.object({ go: z.boolean() }) }) },
  );
  const jobs = contract({ name: 'jobs', version: 1 }, { run: command({ out: z.object({ steps: z.number() }) }) });

  function apps(): {
    readonly services: readonly App[];
    readonly toWorker: Client<typeof jobs>;
    readonly heard: number[];
  } {
    const heard: number[] = [];
    const worker = service('worker');
    worker.handle(jobs, {
      async run(_, call) {
        const caller = callerOf(events, call);
        let steps = 0;
        for (const percent of [0, 50, 100]) {
          const { go } = await caller.progress({ percent });
          if (!go) break;
          steps++;
        }
        return { steps };
      },
    });
    const boss = service('boss');
    const progress = ({ percent }: { readonly percent: number }): { go: boolean } => {
      heard.push(percent);
      return { go: percent < 100 };
    };
    const toWorker = boss.client(jobs, { serves: [bind(events, { progress })] });
    return { services: [worker, boss], toWorker, heard };
  }

  for (const network of ['memory', 'sockets'] as const) {
    it(`travel on the same connection, in ${network}`, async () => {
      const { services, toWorker, heard } = apps();
      const time = network === 'memory' ? { clock: new ManualClock() } : {};
      await using fleet = await startFleet({ services, network, ...time });
      assert.deepEqual(await fleet.until(toWorker.run(undefined)), { steps: 2 });
      assert.deepEqual(heard, [0, 50, 100]);
    });
  }

  it('are refused over HTTP, in words', async () => {
    const { services, toWorker } = apps();
    const entries = services.map((app) => ({ app, config: { transport: 'http' as const } }));
    await using fleet = await startFleet({ services: entries, clock: new ManualClock() });
    await assert.rejects(fleet.until(toWorker.run(undefined)), { code: 'UNIMPLEMENTED', message: /came over HTTP/ });
  });
});
