/**
 * The command `npm run bench:overload`: offers servers three times what they can do, and shows what comes of it. With
 * `--quick` it only shows that everything runs. Writes docs/performance/overload.svg after a full run.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchFolder, cores, startProgram } from '../harness/processes.ts';
import { curvesOf } from './curves.ts';
import type { Slice } from './load.ts';
import { type Run, sum, summaryOf } from './summary.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, seconds: { type: 'string', default: '60' } },
});
const seconds = values.quick ? 2 : Number(values.seconds);
const restSeconds = values.quick ? 1 : 5;
const times = 3;

const runs: Run[] = [];
for (const name of ['flotilla', 'node', 'fastify']) {
  const run = await measure(name);
  runs.push(run);
  console.log(summaryOf(run));
}
if (values.quick) {
  assertRan(runs);
  console.log('every server answered, and ours refused; the figures of --quick mean nothing');
}
if (!values.quick) {
  const file = join(benchFolder, '../docs/performance/overload.svg');
  writeFileSync(file, curvesOf(runs));
  console.log(`the curves: ${file}`);
}

/** @throws TypeError naming the server that did not do its part */
function assertRan(all: readonly Run[]): void {
  for (const { name, slices } of all) {
    if (sum(slices, 'good') === 0) throw new TypeError(`${name} answered nobody`);
    if (name === 'flotilla' && sum(slices, 'refused') === 0) throw new TypeError(`${name} refused nobody`);
  }
}

async function measure(name: string): Promise<Run> {
  const server = await startProgram('overload/servers.ts', [name], cores.measured);
  const load = await startProgram('overload/load.ts', [], cores.others);
  try {
    const port = Number(server.ready['port']);
    const closed = (ms: number): ReturnType<typeof load.ask> => load.ask({ ask: 'closed', port, ms, concurrency: 16 });
    await closed(values.quick ? 200 : 3_000); // warms both
    const before = await server.ask({ ask: 'cpu' });
    const { answered, seconds: took } = await closed(values.quick ? 400 : 5_000);
    const atCapacity = await server.ask({ ask: 'cpu' });
    const capacity = Number(answered) / Number(took);
    const phases = [
      { perSecond: capacity / 5, ms: restSeconds * 1_000 },
      { perSecond: capacity * times, ms: seconds * 1_000 },
      { perSecond: capacity / 5, ms: restSeconds * 1_000 },
    ];
    const { slices } = await load.ask({ ask: 'open', port, phases });
    const after = await server.ask({ ask: 'cpu' });
    return {
      name,
      capacity,
      capacityPerCpuSecond: Number(answered) / cpuSeconds(before, atCapacity),
      cpuSeconds: cpuSeconds(atCapacity, after),
      rssMb: Number(after['rss']) / 1e6,
      restMs: restSeconds * 1_000,
      overloadMs: seconds * 1_000,
      slices: slices as Slice[],
    };
  } finally {
    await load.stop();
    await server.stop();
  }
}

type Cpu = Readonly<Record<string, unknown>>;

function cpuSeconds(before: Cpu, after: Cpu): number {
  const of = (cpu: Cpu): number => Number(cpu['user']) + Number(cpu['system']);
  return (of(after) - of(before)) / 1e6;
}
