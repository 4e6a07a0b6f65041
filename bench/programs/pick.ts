/** Choosing one of a thousand instances, and nothing else. The loads are those of a fleet at work. */
import { type Candidate, createPicker, type PickPolicy } from '@flotilla/balance';
import { serveHarness } from '../harness/program.ts';

const [policy = 'least-loaded'] = process.argv.slice(2);
const candidates = Array.from({ length: 1_000 }, (_, position): Candidate & { picked: number } => ({
  status: 'open',
  load: position % 7,
  weight: 1,
  picked: 0,
}));
const pick = createPicker(policy as PickPolicy, candidates, Math.random);

serveHarness(
  {},
  {
    run: ({ ms }) => run(Number(ms)),
    count: () => ({
      picked: candidates.reduce((sum, { picked }) => sum + picked, 0),
      never: candidates.filter(({ picked }) => picked === 0).length,
    }),
  },
);

function run(ms: number): object {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let operations = 0;
  while (performance.now() < startedAt + ms) {
    for (let i = 0; i < 10_000; i++) (pick() as (typeof candidates)[number]).picked++;
    operations += 10_000;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { operations, wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
}
