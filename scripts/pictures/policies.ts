/** The pictures of docs/resilience.md. What is a curve is drawn by the rule itself. */
import { seededRandom } from '../../packages/core/src/testing/random.ts';
import { paceOf, takeToken } from '../../packages/resilience/src/gcra.ts';
import { createRetryBudget } from '../../packages/resilience/src/retry-budget.ts';
import { ServerGuard } from '../../packages/resilience/src/server-guard.ts';
import { resolveServerPolicies, sheddingDefaults } from '../../packages/resilience/src/server-policies.ts';
import { shareOf } from '../../packages/resilience/src/shedding.ts';
import { openLoad, SimulatedServer } from '../../packages/resilience/test/simulated-server.ts';
import { arrow, box, Chart, type Point, svg, text } from './svg.ts';

/** By the name of its file. */
export async function picturesOfPolicies(): Promise<Readonly<Record<string, string>>> {
  return {
    'composition.svg': composition(),
    'deadline.svg': deadline(),
    'retry-budget.svg': retryBudget(),
    'breaker.svg': breaker(),
    'bulkhead.svg': bulkhead(),
    'rate-limit.svg': rateLimit(),
    'concurrency.svg': await concurrency(),
    'shedding.svg': shedding(),
    'fallback.svg': fallback(),
  };
}

function composition(): string {
  const stack = (x: number, title: string, lines: readonly (readonly [string, boolean])[]): string[] => [
    text(x + 75, 24, title, { kind: 'strong', anchor: 'middle' }),
    ...lines.map(([line, on], index) => box(x - 10, 40 + index * 44, 170, 34, [line], on ? 'own' : 'box')),
    ...lines.slice(1).map((_, index) => arrow(`M${x + 75} ${74 + index * 44}v9`)),
  ];
  return svg('The filters of a client, of an instance and of a server', 620, 416, [
    ...stack(20, 'a call of a client', [
      ['fallback', false],
      ['cache, sharing, batch', false],
      ['rate limit', false],
      ['timeout', true],
      ['bulkhead', false],
      ['breaker', true],
      ['retry + budget', true],
      ['hedge', false],
    ]),
    ...stack(235, 'one instance', [
      ['outlier ejection', true],
      ['cap of calls', true],
      ['attempt timeout', true],
    ]),
    ...stack(450, 'the server', [
      ['shedding', true],
      ['rate limit', false],
      ['adaptive concurrency', true],
      ['idempotency keys', true],
      ['handler', false],
    ]),
    arrow('M180 365H202V57H222'),
    text(208, 330, 'picks one', { kind: 'small' }),
    arrow('M395 145H418V57H437'),
    text(235, 386, 'blue: on without configuration', { kind: 'small' }),
    text(235, 402, 'grey: off until it is configured or given', { kind: 'small' }),
  ]);
}

function deadline(): string {
  const bar = (y: number, from: number, to: number, words: string, kind = 'own'): string =>
    `${box(60 + from * 6, y, (to - from) * 6, 30, [words], kind)}`;
  return svg('The time of a call over attempts and hops', 740, 190, [
    bar(20, 0, 100, 'timeoutMs'),
    text(60, 14, 'the whole call to its last byte; below, its attempts of at most attemptTimeoutMs each', {
      kind: 'small',
    }),
    bar(62, 0, 33, 'given up', 'bad'),
    bar(62, 37, 70, 'begins to answer'),
    text(60 + 35 * 6, 82, '…', { anchor: 'middle' }),
    bar(104, 38, 96, 'what is left is the deadline of the callee', 'box'),
    text(60, 166, '0', { kind: 'small', anchor: 'middle' }),
    text(660, 166, 'deadline', { kind: 'small', anchor: 'middle' }),
    arrow('M60 148H660'),
  ]);
}

function retryBudget(): string {
  const budget = createRetryBudget({ fraction: 0.2, perSecond: 10, windowMs: 10_000 });
  const chart = new Chart(
    { x: 60, y: 30, width: 520, height: 200 },
    { x: 60, y: 1_500 },
    {
      x: [0, 15, 30, 45, 60].map((value) => [value, `${value} s`]),
      y: [0, 500, 1_000, 1_500].map((value) => [value, `${value}/s`]),
    },
  );
  const unlimited: Point[] = [];
  const limited: Point[] = [];
  for (let second = 0; second < 60; second++) {
    const failing = second >= 20 && second < 45;
    let attempts = 0;
    for (let call = 0; call < 500; call++) {
      const now = second * 1_000 + call * 2;
      budget.deposit(now);
      attempts += 1;
      for (let retry = 0; failing && retry < 2 && budget.withdraw(now); retry++) attempts += 1;
    }
    limited.push({ x: second, y: attempts });
    unlimited.push({ x: second, y: failing ? 1_500 : 500 });
  }
  chart.curve('b', unlimited);
  chart.curve('a', limited);
  chart.parts.push(text(458, 46, 'two retries each'), text(458, 140, 'with the budget'));
  return svg('Attempts while everything fails, with and without a budget', 720, 270, [
    text(60, 18, '500 calls a second; from 20 s to 45 s all of them fail', { kind: 'small' }),
    ...chart.parts,
  ]);
}

function breaker(): string {
  return svg('The states of a breaker', 720, 230, [
    box(40, 80, 150, 60, ['closed', 'every call goes'], 'own'),
    box(290, 80, 150, 60, ['open', 'refuses at once'], 'bad'),
    box(540, 80, 150, 60, ['half-open', 'trialCalls go']),
    arrow('M190 100H287'),
    text(240, 58, 'failureFraction or', { kind: 'small', anchor: 'middle' }),
    text(240, 74, 'slowFraction met', { kind: 'small', anchor: 'middle' }),
    arrow('M440 100H537'),
    text(490, 58, 'the next call', { kind: 'small', anchor: 'middle' }),
    text(490, 74, 'after openMs', { kind: 'small', anchor: 'middle' }),
    arrow('M537 124H443'),
    text(490, 142, 'a trial fails, or', { kind: 'small', anchor: 'middle' }),
    text(490, 158, 'trialMs is over:', { kind: 'small', anchor: 'middle' }),
    text(490, 174, 'openMs doubles', { kind: 'small', anchor: 'middle' }),
    arrow('M615 140C615 230 115 230 115 143'),
    text(365, 200, 'the trials went well', { kind: 'small', anchor: 'middle' }),
    text(40, 30, 'decided after each call, over the last windowMs or windowCalls, from minCalls on', { kind: 'small' }),
  ]);
}

function bulkhead(): string {
  const places = Array.from({ length: 4 }, (_, index) => box(430, 40 + index * 36, 120, 28, ['in flight'], 'own'));
  return svg('A bulkhead: places, and a queue by priority and deadline', 720, 220, [
    text(20, 24, 'maxQueued wait, the urgent and the soonest due first', { kind: 'small' }),
    text(430, 24, 'maxConcurrent', { kind: 'small' }),
    ...places,
    ...['critical', 'default, 50 ms left', 'default, 2 s left', 'bulk'].map((words, index) =>
      box(254, 40 + index * 36, 160, 28, [words]),
    ),
    arrow('M414 54H427'),
    box(20, 94, 110, 40, ['calls']),
    arrow('M132 114H250'),
    arrow('M75 136V202H248'),
    text(256, 206, 'no room, or maxWaitMs over: UNAVAILABLE, executed: no', { kind: 'small' }),
    arrow('M552 110H590'),
    text(596, 114, 'to their last byte', { kind: 'small' }),
  ]);
}

function rateLimit(): string {
  const pace = paceOf({ ratePerSecond: 10, burst: 10 });
  const chart = new Chart(
    { x: 60, y: 30, width: 520, height: 180 },
    { x: 5, y: 40 },
    {
      x: [0, 1, 2, 3, 4, 5].map((value) => [value, `${value} s`]),
      y: [0, 10, 20, 30, 40].map((value) => [value, `${value}`]),
    },
  );
  let fullAt = 0;
  let allowed = 0;
  let asked = 0;
  const offered: Point[] = [{ x: 0, y: 0 }];
  const admitted: Point[] = [{ x: 0, y: 0 }];
  const tokens: Point[] = [];
  for (let ms = 0; ms <= 5_000; ms += 10) {
    const comes = ms >= 1_000 && ms < 2_500 && ms % 50 === 0;
    if (comes) {
      asked += 1;
      const verdict = takeToken(fullAt, ms, pace, 0);
      fullAt = verdict.fullAt;
      if (verdict.allowed) allowed += 1;
    }
    offered.push({ x: ms / 1_000, y: asked });
    admitted.push({ x: ms / 1_000, y: allowed });
    tokens.push({ x: ms / 1_000, y: pace.burst - Math.max(0, fullAt - ms) / pace.intervalMs });
  }
  chart.curve('b', offered, 'asked');
  chart.curve('a', admitted, 'allowed');
  chart.curve('c', tokens, 'tokens left');
  return svg('A rate limit: calls that were asked, allowed, and tokens left', 720, 250, [
    text(60, 18, 'ratePerSecond 10, burst 10; twenty calls a second come for a second and a half', { kind: 'small' }),
    ...chart.parts,
  ]);
}

async function concurrency(): Promise<string> {
  const work = { waitMs: 4, computeMs: 2, admitMs: 0.05, refuseMs: 0.06 };
  const random = seededRandom(1);
  const phases = [
    { perSecond: 100, ms: 3_000 },
    { perSecond: 1_463, ms: 6_000 },
    { perSecond: 100, ms: 3_000 },
  ];
  const runs = [
    { kind: 'a', words: 'adaptive', given: {} },
    { kind: 'b', words: 'no limit', given: { concurrency: { initialLimit: 9_999, minLimit: 9_999, maxLimit: 9_999 } } },
  ];
  const chart = new Chart(
    { x: 60, y: 34, width: 520, height: 200 },
    { x: 12, y: 3 },
    {
      x: [0, 3, 6, 9, 12].map((value) => [value, `${value} s`]),
      y: [
        [0, '1 ms'],
        [1, '10 ms'],
        [2, '100 ms'],
        [3, '1 s'],
      ],
    },
  );
  for (const { kind, words, given } of runs) {
    const server = new SimulatedServer(work, random);
    const guard = new ServerGuard({ policies: resolveServerPolicies(given), clock: server.clock, load: server });
    await server.run(guard, openLoad(phases, random));
    const points: Point[] = [];
    for (let from = 0; from < 12_000; from += 200) {
      const times = server.results
        .filter(({ good, sentAt }) => good && sentAt >= from && sentAt < from + 200)
        .map(({ sentAt, endedAt }) => endedAt - sentAt)
        .sort((a, b) => a - b);
      const p99 = times[Math.floor(times.length * 0.99)];
      if (p99 !== undefined) points.push({ x: from / 1_000, y: Math.log10(Math.max(1, p99)) });
    }
    chart.curve(kind, points, words);
  }
  return svg('Latency under three times the load, with and without the adaptive limit', 720, 280, [
    text(60, 20, 'p99 of good answers; from 3 s to 9 s three times what the server can do is offered (simulated)', {
      kind: 'small',
    }),
    ...chart.parts,
  ]);
}

function shedding(): string {
  const classes = [
    ['critical', 0, 'a'],
    ['default', 1, 'd'],
    ['bulk', 2, 'c'],
    ['probe', 3, 'b'],
  ] as const;
  const chart = new Chart(
    { x: 60, y: 30, width: 500, height: 200 },
    { x: 100, y: 200 },
    {
      x: [0, 25, 50, 75, 100].map((value) => [value, `limit ${value}`]),
      y: [0, 50, 100, 150, 200].map((value) => [value, `${value}`]),
    },
  );
  for (const [words, rank, kind] of classes) {
    const points = [0, 100].map((limit) => ({ x: limit, y: shareOf(rank, limit, sheddingDefaults) }));
    chart.curve(kind, points, words);
  }
  return svg('How many calls may be in flight for one of a class to be let in', 680, 270, [
    text(60, 18, 'calls in flight up to which one of the class is let in, by the limit as it stands', {
      kind: 'small',
    }),
    ...chart.parts,
  ]);
}

function fallback(): string {
  return svg('A fallback stands outside of what measures the call', 720, 150, [
    box(20, 50, 110, 44, ['caller']),
    box(180, 50, 120, 44, ['fallback', 'answers otherwise']),
    box(350, 50, 120, 44, ['observe', 'sees the failure'], 'own'),
    box(520, 50, 170, 44, ['policies, service', 'UNAVAILABLE'], 'bad'),
    arrow('M130 64H177'),
    arrow('M300 64H347'),
    arrow('M470 64H517'),
    arrow('M517 82H473'),
    arrow('M347 82H303'),
    arrow('M177 82H133'),
    text(155, 116, 'a value', { kind: 'small', anchor: 'middle' }),
    text(325, 116, 'an error', { kind: 'small', anchor: 'middle' }),
  ]);
}
