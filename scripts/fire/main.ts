/**
 * The shop under fire: a load on the page of a product while plugs are pulled.
 * `npm run fire -- [--long] [--only=id,id] [--rate=100]`; see README.md.
 */
import { parseArgs } from 'node:util';
import { formatResults } from './report.ts';
import { runScenario, type ScenarioResult } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string' },
    rate: { type: 'string', default: '100' },
    port: { type: 'string', default: '21600' },
  },
});
const only = values.only?.split(',');
const options = { long: values.long, port: Number(values.port), ratePerSecond: Number(values.rate) };

const results: ScenarioResult[] = [];
for (const scenario of scenarios) {
  if (only && !only.includes(scenario.id)) continue;
  console.log(`\n${scenario.id}: ${scenario.title}`);
  const result = await runScenario(scenario, options);
  results.push(result);
  console.log(formatResults([result]));
  for (const mistake of result.mistakes) console.error(`MISTAKE in ${scenario.id}: ${mistake}`);
}
console.log(`\n${formatResults(results)}`);
process.exitCode = results.some(({ mistakes }) => mistakes.length > 0) ? 1 : 0;
