/** Choosing one of a thousand instances, with the bookkeeping that goes with it. The loads are those of a fleet at work. */
import { type Candidate, createPicker, Latency, type PickPolicy, StickyMemory, Utilisation } from '@flotilla/balance';
import { serveHarness } from '../harness/program.ts';

const [policy = 'peak-ewma'] = process.argv.slice(2);
const decayMs = 5_000;

/** An instance that has been measured, as those of a cluster are. */
class Measured implements Candidate {
  readonly id: string;
  readonly status = 'open';
  readonly weight = 1;
  readonly latency = new Latency();
  readonly utilisation = new Utilisation();
  load: number;
  picked = 0;

  constructor(position: number) {
    this.id = `10.0.${position >>> 8}.${position & 255}:8080:orders:1`;
    this.load = position % 7;
    this.latency.observe(5 + (position % 11), 0, decayMs);
    this.utilisation.report((position % 13) / 20, 0);
  }

  latencyAt(now: number): number {
    return this.latency.at(now, decayMs);
  }

  utilisationAt(now: number): number {
    return this.utilisation.at(now, decayMs);
  }
}

const candidates = Array.from({ length: 1_000 }, (_, position) => new Measured(position));
const picker = createPicker(policy as PickPolicy, candidates, Math.random, {
  memory: new StickyMemory(200_000),
  inFlight: () => load,
});
let load = candidates.reduce((sum, candidate) => sum + candidate.load, 0);
const keys = Array.from({ length: 65_536 }, (_, position) => `customer-${position * 7_919}`);

/** Calls in flight, the oldest of which ends when another one begins. */
const inFlight: (Measured | undefined)[] = new Array(4_096);

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
    for (let i = 0; i < 10_000; i++) pickOne(operations + i);
    operations += 10_000;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { operations, wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
}

function pickOne(turn: number): void {
  const picked = picker.next(1, keys[turn & 65_535]) as Measured;
  picked.picked++;
  picked.load++;
  load++;
  picker.changed?.(picked);
  const place = turn & 4_095;
  const ended = inFlight[place];
  inFlight[place] = picked;
  if (!ended) return;
  ended.load--;
  load--;
  picker.changed?.(ended);
}
