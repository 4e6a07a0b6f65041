import { assertCount, type Measurement, type Row, type Subject } from '../harness/measurement.ts';
import type { Plan } from '../harness/plan.ts';
import { type Counts, type PairSettings, runPair, startPair } from './call-pair.ts';

const typical: PairSettings = { outstanding: 64 };
const settings: readonly (readonly [title: string, settings: PairSettings])[] = [
  ['64 at a time, 150 bytes, ten instances behind one connection', typical],
  ['1 at a time', { outstanding: 1 }],
  ['1,024 at a time', { outstanding: 1_024 }],
  ['answers of 100 bytes', { ...typical, answerBytes: 100 }],
  ['answers of 4 KiB', { ...typical, answerBytes: 4_096 }],
  ['answers of 64 KiB', { ...typical, answerBytes: 65_536 }],
  ['answers of 1 MiB', { outstanding: 16, answerBytes: 1_048_576 }],
  ['10 instances with connections of their own', { ...typical, instances: 10 }],
  ['100 instances with connections of their own', { ...typical, instances: 100 }],
];

/** What becomes of a typed call when there is more of something: beside the reference, in the same minute. */
export const callsGrowth: Row = {
  id: 'calls-growth',
  title: 'Typed call with more at a time, larger answers, more instances; the reference under the same conditions',
  kind: 'figures',
  reference: 'none',
  operation: 'call',
  budget: '0.7 of the reference by CPU time of the busier side',
  subjects: settings.map(([title, setting], position) => ({
    id: `setting-${position}`,
    title,
    measure: (plan) => measureBoth(setting, plan),
  })),
};

/** What the state costs that a caller and a callee keep. */
export const callsMemory: Row = {
  id: 'calls-memory',
  title:
    'Memory of typed calls: of a connection, and of a call in hand, 10,000 of which go to two instances that never answer',
  kind: 'figures',
  reference: 'none',
  operation: 'call',
  budget: 'what waits is bounded: who comes beyond the bound is refused at once, and nothing is left afterwards',
  subjects: [{ id: 'flotilla', title: 'Flotilla over RSocket', measure: measureMemory }],
};

/** Who asks for little must not pay for who asks for much. */
export const callsBeside: Row = {
  id: 'calls-beside',
  title: 'Small calls, 64 at a time, alone and beside something large from the same instance',
  kind: 'figures',
  reference: 'nothing',
  operation: 'call',
  budget: '99 % of the small calls take at most twice as long',
  subjects: [
    beside('nothing', 'alone'),
    beside('large', 'an answer of 10 MiB every second'),
    beside('stream', 'a stream without pause'),
    // Without what the application's own data cost to write and to parse, during which nobody else is served.
    beside('nothing', 'the bare engine, alone', 'rsocket'),
    beside('large', 'the bare engine, 10 MiB of bytes every second', 'rsocket'),
  ],
};

/** How long a call takes when there is room. */
export const callsHalfLoad: Row = {
  id: 'calls-half-load',
  title: 'Time of a call at half of what each can do, from the moment that it was due',
  kind: 'figures',
  reference: 'reference',
  operation: 'call',
  budget: '99 % within twice the time of the reference',
  subjects: [atHalfLoad('reference', 'reference'), atHalfLoad('flotilla-rsocket', 'Flotilla over RSocket')],
};

async function measureBoth(setting: PairSettings, plan: Plan): Promise<Measurement> {
  const reference = plan.quick ? {} : await measureOne('reference', setting, plan); // no time is meant anyway
  const ours = await measureOne('flotilla-rsocket', setting, plan);
  const [us, them] = [ours, reference].map((one) => Math.max(cost(one, 'cpuMs'), cost(one, 'serverMs')));
  return {
    operations: ours['operations'] ?? 1,
    wallMs: ours['wallMs'] ?? 1,
    processes: [],
    figures: {
      'calls/s': perSecond(ours),
      'client CPU µs': cost(ours, 'cpuMs'),
      'server CPU µs': cost(ours, 'serverMs'),
      '99 % within ms': ours['p99Ms'] ?? Number.NaN,
      'reference calls/s': perSecond(reference),
      'its client CPU µs': cost(reference, 'cpuMs'),
      'its server CPU µs': cost(reference, 'serverMs'),
      'ratio by CPU': (them ?? Number.NaN) / (us ?? Number.NaN),
    },
  };
}

async function measureOne(id: string, setting: PairSettings, plan: Plan): Promise<Counts> {
  const pair = await startPair(id, setting, plan.warmMs);
  try {
    const ran = await runPair(pair, plan.measureMs, 'latencies');
    assertCount('wrong answers', ((await pair.client.ask({ ask: 'count' })) as Counts)['wrong'] ?? -1, 0);
    return ran;
  } finally {
    await pair.stop();
  }
}

const stalledCalls = 10_000;
/** At most 1,000 calls are in hand at each. */
const stalledInstances = 2;
const manyInstances = 100;

async function measureMemory(plan: Plan): Promise<Measurement> {
  const alone = await memoryWith(1, plan);
  const many = await memoryWith(manyInstances, plan);
  const pair = await startPair('flotilla-rsocket', { ...typical, instances: stalledInstances }, plan.warmMs);
  try {
    const stalled = (await pair.client.ask({ ask: 'stalled', calls: stalledCalls })) as Counts;
    const { outstanding = 0, refused = 0, late = 0, bytes = 0, left = 0 } = stalled;
    assertCount('stalled calls that ended', refused + late, stalledCalls);
    return {
      operations: stalledCalls,
      wallMs: plan.measureMs,
      processes: [],
      figures: {
        'client bytes a connection': (many.client - alone.client) / (manyInstances - 1),
        'server bytes a connection, its listener included': (many.server - alone.server) / (manyInstances - 1),
        'in hand at a time': outstanding,
        'refused of 10,000': refused,
        'client bytes a call in hand': bytes,
        'bytes left afterwards': left,
      },
    };
  } finally {
    await pair.stop();
  }
}

async function memoryWith(
  instances: number,
  plan: Plan,
): Promise<{ readonly client: number; readonly server: number }> {
  const pair = await startPair('flotilla-rsocket', { ...typical, instances }, plan.warmMs);
  try {
    const [client, server] = [await pair.client.ask({ ask: 'memory' }), await pair.server.ask({ ask: 'memory' })];
    return { client: Number(client['bytes']), server: Number(server['bytes']) };
  } finally {
    await pair.stop();
  }
}

/** Of the round in hand, by subject: small calls alone. */
const aloneP99Ms = new Map<string, number>();

function beside(what: string, title: string, subject = 'flotilla-rsocket'): Subject {
  return {
    id: subject === 'rsocket' ? `bare-${what}` : what,
    title,
    async measure(plan) {
      const pair = await startPair(subject, typical, plan.warmMs);
      try {
        const ran = (await pair.client.ask({ ask: 'beside', what, ms: plan.measureMs })) as Counts;
        if (what === 'nothing') aloneP99Ms.set(subject, ran['p99Ms'] ?? Number.NaN);
        else assertCount(`what came of ${what}`, (ran['large'] ?? 0) + (ran['elements'] ?? 0), 1, Infinity);
        return {
          operations: ran['operations'] ?? 1,
          wallMs: ran['wallMs'] ?? 1,
          processes: [],
          figures: {
            'calls/s': perSecond(ran),
            'half within ms': ran['p50Ms'] ?? Number.NaN,
            '99 % within ms': ran['p99Ms'] ?? Number.NaN,
            'of alone': (ran['p99Ms'] ?? Number.NaN) / (aloneP99Ms.get(subject) ?? Number.NaN),
            'MiB beside': (ran['large'] ?? 0) / 1_048_576,
            'elements beside': ran['elements'] ?? 0,
          },
        };
      } finally {
        await pair.stop();
      }
    },
  };
}

function atHalfLoad(id: string, title: string): Subject {
  return {
    id,
    title,
    async measure(plan) {
      // What is due while either side stalls is in hand at once: a refusal would take its time out of the figures.
      const pair = await startPair(id, { ...typical, atMost: 16_384 }, plan.warmMs);
      try {
        const most = perSecond(await runPair(pair, plan.measureMs / 2));
        const ran = (await pair.client.ask({ ask: 'paced', ms: plan.measureMs, perSecond: most / 2 })) as Counts;
        assertCount('wrong answers', ((await pair.client.ask({ ask: 'count' })) as Counts)['wrong'] ?? -1, 0);
        return {
          operations: ran['operations'] ?? 1,
          wallMs: ran['wallMs'] ?? 1,
          processes: [],
          figures: {
            'calls/s at full load': most,
            'calls/s': perSecond(ran),
            'half within ms': ran['p50Ms'] ?? Number.NaN,
            '99 % within ms': ran['p99Ms'] ?? Number.NaN,
          },
        };
      } finally {
        await pair.stop();
      }
    },
  };
}

function perSecond({ operations = 0, wallMs = 1 }: Counts): number {
  return (operations * 1_000) / wallMs;
}

/** CPU time of one call, in microseconds. */
function cost(ran: Counts, what: 'cpuMs' | 'serverMs'): number {
  return ((ran[what] ?? 0) * 1_000) / (ran['operations'] ?? 1);
}
