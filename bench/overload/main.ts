/**
 * The command `npm run bench:overload`: offers servers three times what they can do, and shows what comes of it. Takes about
 * six minutes. `--only flotilla,node` takes some of the servers, `--seconds 20` a shorter time. With `--quick` it only shows that everything runs. Writes docs/performance/overload.svg after a full run of all.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchFolder } from '../harness/processes.ts';
import { curvesOf } from './curves.ts';
import { measure, type Plan, type Run } from './run.ts';
import { subjects } from './subjects.ts';
import { sum, summaryOf } from './summary.ts';
import { roundsHere } from './work.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    /** Of the subjects, with commas between them. */
    only: { type: 'string', default: subjects.map(({ id }) => id).join(',') },
  },
});
const seconds = Number(values.seconds);
if (!(seconds >= 1 && seconds <= 60)) throw new RangeError(`--seconds must be from 1 to 60, got "${values.seconds}"`);
const wanted = values.only.split(',');
const plan: Plan = {
  ...(values.quick
    ? { warmMs: 500, capacityMs: 500, restMs: 1_000, overloadMs: 2_000 }
    : { warmMs: 3_000, capacityMs: 4_000, restMs: 5_000, overloadMs: seconds * 1_000 }),
  times: 3,
  rounds: roundsHere(),
};

const runs: Run[] = [];
for (const subject of subjects.filter(({ id }) => wanted.includes(id))) {
  const run = await measure(subject, plan);
  runs.push(run);
  console.log(summaryOf(run));
}
if (values.quick) {
  assertRan(runs);
  console.log('every server answered, and ours refused; the figures of --quick mean nothing');
} else if (runs.length === subjects.length) {
  const file = join(benchFolder, '../docs/performance/overload.svg');
  writeFileSync(file, curvesOf(runs));
  console.log(`the curves: ${file}`);
}

/** @throws TypeError naming the server that did not do its part */
function assertRan(all: readonly Run[]): void {
  for (const { subject, slices } of all) {
    if (sum(slices, 'good') === 0) throw new TypeError(`${subject.title} answered nobody`);
    if (subject.server === 'flotilla' && sum(slices, 'refused') === 0)
      throw new TypeError(`${subject.title} refused nobody`);
  }
}
