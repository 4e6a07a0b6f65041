/**
 * The shop under fire: a load on the page of a product while plugs are pulled. Exits with 1 when something failed that
 * must not; counts decide, never times.
 *
 * `npm run fire -- [--long] [--only=id,…] [--rate=50] [--port=21600] [--svg=file] [--table=file]`; see README.md.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type BuyersResult, runBuyers } from './buyers.ts';
import { measureCapacity, rateFor } from './capacity.ts';
import { Fleet, portsOfFleet } from './fleet.ts';
import { type FullDiskResult, mayMount, runFullDisk } from './full-disk.ts';
import { drawResults } from './picture.ts';
import { formatFacts, formatResults, formatWrk } from './report.ts';
import {
  runScenario,
  runUnderWrk,
  type ScenarioResult,
  shortForm,
  untilWhole,
  type WrkScenarioResult,
} from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { hasWrk } from './wrk.ts';

/** What is done under `wrk` as well. */
const saturated = ['edge-killed', 'gateway-restarted'];
const saturatedLong = [...saturated, 'services-restarted', 'backend-killed', 'gateways-in-turn', 'routes-reloaded'];

const { values: flags } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string' },
    rate: { type: 'string' },
    port: { type: 'string', default: '21600' },
    svg: { type: 'string' },
    table: { type: 'string' },
  },
});
const { long } = flags;
const port = Number(flags.port);
const only = flags.only?.split(',');
const wanted = (id: string): boolean => !only || only.includes(id);

// The short form has one fleet for all that need none of their own: what one leaves behind, the next one meets.
if (!hasWrk() && process.env['CI'] === 'true') {
  throw new Error('wrk is not installed, and CI=true allows no gaps: apt-get install wrk');
}
const first = new Fleet({ port, ...(long ? undefined : shortForm) });
await first.start();
await untilWhole(first);
const capacity = await measureCapacity(first);
const ratePerSecond = flags.rate === undefined ? rateFor(capacity) : Number(flags.rate);
const machine = `${cpus().length} cores, Node.js ${process.versions.node}, ${capacity.toFixed(0)} pages/s at most before it began`;
console.log(`${machine}; the load is ${ratePerSecond} pages/s`);

const shared = long ? undefined : first;
if (long) await endWell(first);
const options = { port, long, ratePerSecond, shared };

const results: ScenarioResult[] = [];
const underWrk: WrkScenarioResult[] = [];
let buyers: BuyersResult | undefined;
let fullDisk: FullDiskResult | undefined;
for (const scenario of scenarios.filter(({ id, longOnly }) => (long || only || !longOnly) && wanted(id))) {
  const lacking = scenario.lacks?.();
  if (lacking !== undefined) {
    console.warn(`SKIPPED: ${scenario.id} needs ${lacking}`);
    continue;
  }
  results.push(await told(scenario.id, scenario.title, runScenario(scenario, options)));
}
if (hasWrk()) {
  const chosen = scenarios.filter(({ id }) => (long ? saturatedLong : saturated).includes(id));
  for (const scenario of chosen.filter(({ id }) => wanted('wrk') || wanted(`wrk:${id}`))) {
    const run = runUnderWrk(scenario, { ...options, connections: 16 });
    underWrk.push(await told(`wrk:${scenario.id}`, `${scenario.title}, saturated`, run));
  }
} else console.warn('SKIPPED: no wrk on this machine (Debian: apt-get install wrk)');
if (wanted('buyers')) {
  const title = 'twenty buyers of the last ten pieces, again and again, while order and catalog are killed';
  buyers = await told('buyers', title, sellLastPieces());
}
if (long ? wanted('full-disk') : only?.includes('full-disk')) {
  const title = 'the disk of the databases is full while orders are placed, and has room again later';
  if (mayMount()) fullDisk = await told('full-disk', title, runFullDisk(port + portsOfFleet));
  else console.warn('SKIPPED: full-disk needs root on Linux, to mount a small disk');
}

const tables = [
  results.length > 0 && formatResults(results),
  underWrk.length > 0 && formatWrk(underWrk),
  buyers && formatFacts('buyers', buyers),
  fullDisk && formatFacts('full disk', fullDisk),
].filter((table) => typeof table === 'string');
const report = `${machine}; the load is ${ratePerSecond} pages/s\n\n${tables.join('\n\n')}\n`;
console.log(`\n${report}`);
if (flags.table !== undefined) writeFileSync(flags.table, report);
if (flags.svg !== undefined) writeFileSync(flags.svg, drawResults(results, machine));
const all = [...results, ...underWrk, ...[buyers, fullDisk].filter((result) => result !== undefined)];
if (all.length === 0) throw new Error(`--only names none of ${scenarios.map(({ id }) => id)}, wrk, buyers, full-disk`);
const failed = all.some(({ mistakes }) => mistakes.length > 0);
if (!failed) shared?.forget();
await shared?.end();
process.exitCode = failed ? 1 : 0;

async function told<R extends { readonly mistakes: readonly string[] }>(
  id: string,
  title: string,
  running: Promise<R>,
): Promise<R> {
  const from = performance.now();
  const result = await running;
  const verdict = result.mistakes.length === 0 ? 'holds' : `DOES NOT HOLD: ${result.mistakes.join('; ')}`;
  console.log(`${id} (${title}): ${verdict} [${((performance.now() - from) / 1_000).toFixed(0)} s]`);
  return result;
}

async function sellLastPieces(): Promise<BuyersResult> {
  if (shared) return runBuyers(shared, 60_000);
  const fleet = new Fleet({ port });
  await fleet.start();
  await untilWhole(fleet);
  const result = await runBuyers(fleet, 90_000);
  if (result.mistakes.length === 0) await endWell(fleet);
  else await fleet.end();
  return result;
}

async function endWell(fleet: Fleet): Promise<void> {
  fleet.forget();
  await fleet.end();
}
