/** The command `npm run bench`: measures side by side, prints, and after a full run writes docs/performance.md. */
import { availableParallelism } from 'node:os';
import { brokenClaims } from './balance/claims.ts';
import { runSimulations } from './balance/run.ts';
import { installPeers } from './harness/install.ts';
import { thisMachine } from './harness/machine.ts';
import { CountError } from './harness/measurement.ts';
import { type Request, readRequest, usage } from './harness/plan.ts';
import { publish, type Report, writeResults } from './harness/report.ts';
import { chooseRows, type MeasuredRow, measureRow } from './harness/rounds.ts';
import { summarise } from './harness/statistics.ts';
import { tableOf } from './harness/table.ts';

const say = (line: string): void => console.log(line);
try {
  const request = readRequest(process.argv.slice(2));
  if (request) await bench(request);
  else say(usage);
} catch (thrown) {
  const told = thrown instanceof TypeError || thrown instanceof CountError;
  console.error(told ? `${thrown.message}\n\n${thrown instanceof TypeError ? usage : ''}` : thrown);
  process.exitCode = 1;
}

async function bench(request: Request): Promise<void> {
  if (availableParallelism() < 2) throw new TypeError('two cores are needed: one to measure, one for the load');
  installPeers(say);
  const { rows } = await import('./rows/index.ts'); // asks the peers for their versions
  const { plan } = request;
  const measured: MeasuredRow[] = [];
  for (const row of chooseRows(rows, request)) {
    const reached = await measureRow(row, plan, say);
    measured.push(reached);
    if (!plan.quick) say(`\n${tableOf(row, summarise(reached))}\n`);
  }
  const report: Report = { machine: thisMachine(), plan, rows: measured };
  if (plan.quick && request.rows.length === 0) await checkBalance();
  if (plan.quick) return say('every subject ran and counted right; the times of --quick mean nothing');
  const name = request.results ?? (request.publish === 'all' ? 'baseline' : 'latest');
  say(`figures: ${writeResults(report, `${name}.json`)}`);
  if (!request.publish) return;
  publish(report, request.publish);
  say('docs/performance.md and its charts are written');
}

/** A short run of the simulator: what docs/balancing.md claims has to hold. */
async function checkBalance(): Promise<void> {
  const [broken] = brokenClaims(await runSimulations({ seconds: 5, seed: 1 }));
  if (broken !== undefined) throw new CountError(`balance: this does not hold: ${broken}`);
  say('balance: the claims of docs/balancing.md hold');
}
