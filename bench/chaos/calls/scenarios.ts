import { setTimeout as pause } from 'node:timers/promises';
import type { Scenario } from '../scenarios.ts';
import type { Mood } from './contract.ts';
import type { Worker } from './fleet.ts';
import { type Fault, under } from './run.ts';

/** How long a spoilt instance stays spoilt. */
const spoiltMs = 3_000;

function scenario(id: string, title: string, fault: Fault, longOnly = false): Scenario {
  return { id, title, longOnly, run: (stage) => under(stage, fault) };
}

/** One of ten behaves like this for a while. */
function moody(mood: Mood): Pick<Fault, 'odd' | 'run'> {
  return {
    odd: ([first]) => [first],
    async run([odd]) {
      odd?.feel(mood);
      await pause(mood === 'flapping' ? 3 * spoiltMs : spoiltMs);
      odd?.feel('well');
    },
  };
}

const killed: Fault = {
  odd: ([first]) => [first],
  async run([odd]) {
    await odd?.program.kill();
    await pause(spoiltMs);
    await odd?.program.start();
  },
  bounds: { success: 1, leftMs: 1_000, backMs: 15_000 },
};

export const callScenarios: readonly Scenario[] = [
  scenario('call-slow', 'one of ten instances is 100 × slower', {
    ...moody('slow'),
    bounds: { success: 1, leftMs: 1_000, backMs: 45_000 },
  }),
  scenario('call-dead', 'one of ten instances is killed (SIGKILL) and started again', killed),
  scenario('call-broken', 'one of ten instances answers each call with an error that is not repeated', {
    ...moody('broken'),
    // Each caller needs a failure or two to see it: a handler that began may have done something, so nothing is repeated.
    bounds: { success: 0.99, leftMs: 1_000, backMs: 45_000 },
  }),
  scenario('call-deaf', 'one of ten instances takes calls and never answers', {
    ...moody('deaf'),
    bounds: { success: 1, leftMs: 1_000, backMs: 45_000 },
  }),
  scenario('call-blocked', 'the event loop of one of ten instances is blocked for 2 s', {
    odd: ([first]) => [first],
    async run([odd]) {
      odd?.block(2_000);
      await pause(2_000);
    },
    bounds: { success: 1, leftMs: 300, backMs: 45_000, patient: true },
  }),
  scenario('call-all-fail', 'all instances refuse each call for a while', {
    odd: (workers) => workers,
    async run(odd) {
      for (const worker of odd) worker.feel('unavailable');
      await pause(spoiltMs);
      for (const worker of odd) worker.feel('well');
    },
    bounds: { success: 0.2, failingMs: 7_000 }, // a breaker stays open for five seconds, then it tries
  }),
  scenario(
    'call-flapping',
    'one of ten instances refuses every other second',
    { ...moody('flapping'), bounds: { success: 1, backMs: 45_000 } },
    true,
  ),
  scenario(
    'call-hung',
    'one of ten instances hangs (SIGSTOP): its socket takes calls, nobody reads them',
    {
      odd: ([first]) => [first],
      async run([odd]) {
        odd?.program.pause();
        await pause(2 * spoiltMs);
        odd?.program.resume();
      },
      bounds: { success: 1, leftMs: 1_000, backMs: 45_000 },
    },
    true,
  ),
  scenario(
    'call-zone-lost',
    'all five instances of the callers’ zone are killed (SIGKILL) and started again',
    {
      flags: ['--zone=east'],
      // The product's own: tried every three seconds, a zone that is away for long would use up the budget of retries.
      env: { EJECTION_MS: '30000' },
      odd: (workers) => workers.filter(({ zone }) => zone === 'east'),
      async run(odd) {
        await Promise.all(odd.map(({ program }) => program.kill()));
        await pause(spoiltMs);
        await Promise.all(odd.map(({ program }) => program.start()));
      },
      bounds: { success: 0.999, leftMs: 2_000, backMs: 45_000 },
    },
    true,
  ),
  scenario(
    'call-dead-http',
    'one of ten instances is killed (SIGKILL), calls over HTTP',
    {
      ...killed,
      flags: ['--transport=http'],
    },
    true,
  ),
  scenario(
    'call-rolling',
    'all ten instances are restarted (SIGTERM), one after the other',
    { odd: (workers) => workers, run: restartAll, bounds: { success: 1 } },
    true,
  ),
];

async function restartAll(workers: readonly Worker[]): Promise<void> {
  for (const { program } of workers) {
    await program.stop();
    await program.start();
  }
}
