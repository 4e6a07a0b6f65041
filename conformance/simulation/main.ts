/**
 * The command `npm run simulate`: a fleet in virtual time, in thousands of histories.
 *
 * `npm run simulate -- [--histories=3000] [--from=1] [--workers=2] [--cpu=200] [--seed=N]`
 *
 * What was ever found runs first; then the histories of the seeds from `--from` on. `--seed` runs one of them alone. The first that
 * fails of each worker is made smaller and printed. Exits with 1 when one did, or when all took more than `--cpu` seconds of CPU time.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { foundHistories } from './found.ts';
import { describeHistory, generateHistory, type History } from './history.ts';
import { describeFailure, judge, shrink } from './judge.ts';

interface Share {
  readonly first: number;
  readonly step: number;
  readonly end: number;
}

/** What a worker has done: how many it ran, and the first that failed. */
interface Done {
  readonly ran: number;
  readonly failure?: string;
}

async function runAll(histories: Iterable<History>): Promise<Done> {
  let ran = 0;
  for (const history of histories) {
    ran += 1;
    const failure = await judge(history);
    if (failure) return { ran, failure: describeFailure(failure, await shrink(failure)) };
  }
  return { ran };
}

function* historiesOf({ first, step, end }: Share): Generator<History> {
  for (let seed = first; seed < end; seed += step) yield generateHistory(seed);
}

function inWorker(share: Share): Promise<Done> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      histories: { type: 'string', default: '3000' },
      from: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      cpu: { type: 'string', default: 'Infinity' },
      seed: { type: 'string' },
    },
  });
  const startedAt = performance.now();
  const results: Done[] = [];
  if (values.seed === undefined) {
    results.push(await runAll(foundHistories()));
    const [from, workers] = [Number(values.from), Number(values.workers)];
    const end = from + Number(values.histories);
    const shares = Array.from({ length: workers }, (_, index) => ({ first: from + index, step: workers, end }));
    results.push(...(await Promise.all(shares.map(inWorker))));
  } else {
    const history = generateHistory(Number(values.seed));
    console.log(describeHistory(history));
    results.push(await runAll([history]));
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const { failure } of results) if (failure !== undefined) console.log(failure);
  const ran = results.reduce((sum, each) => sum + each.ran, 0);
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  console.log(`${ran} histories in ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU time`);
  const dear = cpuSeconds > Number(values.cpu);
  if (dear) console.log(`more than the ${values.cpu} s of CPU time that they may take: make them cheaper, or fewer`);
  if (dear || results.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

if (isMainThread) await main();
else parentPort?.postMessage(await runAll(historiesOf(workerData as Share)));
