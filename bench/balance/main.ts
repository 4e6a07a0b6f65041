/**
 * The command `npm run balance`: every pick against slow, cold, failing and uneven instances, in virtual time.
 *
 * `npm run balance -- [--quick] [--seconds 20] [--seed 1] [--only slow,blocked] [--publish]`
 *
 * `--publish` writes the table into docs/balancing.md and the pictures beside it. `--quick` checks the claims of the page in
 * a few seconds. Exits with 1 when one of them does not hold.
 */
import { parseArgs } from 'node:util';
import { brokenClaims } from './claims.ts';
import { publishSimulation } from './publish.ts';
import { runSimulations, tableOfResults } from './run.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    publish: { type: 'boolean', default: false },
  },
});
const seconds = Number(flags.seconds ?? (flags.quick ? 5 : 20));
const results = await runSimulations({ seconds, seed: Number(flags.seed), only: flags.only?.split(',') });
console.log(tableOfResults(results));
const broken = brokenClaims(results);
for (const claim of broken) console.log(`does not hold: ${claim}`);
if (flags.publish && broken.length === 0) publishSimulation(results, { seconds, seed: Number(flags.seed) });
process.exitCode = broken.length > 0 ? 1 : 0;
