/**
 * The command `npm run bench:profile -- [label] [gateway] [gateway-rsocket] [calls] [client-stack]
 * [registry-heartbeat] [registry-registration]`: takes CPU profiles of our side of
 * these rows under load, and writes what cost most into bench/profiles/<row>-<label>.md.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPeers } from '../harness/install.ts';
import type { Measurement } from '../harness/measurement.ts';
import { full, type Plan } from '../harness/plan.ts';
import { benchFolder } from '../harness/processes.ts';
import { type CpuProfile, type ProfileSummary, summariseProfile } from './read-profile.ts';

const folder = join(benchFolder, 'profiles');
/** Lines of each table. */
const shown = 25;

const [label = 'now', ...wanted] = process.argv.slice(2);
installPeers((line) => console.log(line));
mkdirSync(folder, { recursive: true });
const plan: Plan = { ...full, warmMs: 5_000, measureMs: 5_000 };
const { measureCalls } = await import('../rows/calls.ts');
const { measureGateway, measurePlainGateway } = await import('../rows/gateway.ts');
const { measureStack } = await import('../rows/in-process.ts');
const { profileRegistry } = await import('../rows/registry.ts');

const profiles: Readonly<Record<string, () => Promise<Measurement>>> = {
  gateway: () => measurePlainGateway(plan, file('gateway')),
  'gateway-rsocket': () => measureGateway(plan, 'rsocket', file('gateway-rsocket')),
  calls: () => measureCalls('flotilla-rsocket', plan, { server: file('calls-server'), client: file('calls-client') }),
  'client-stack': () => measureStack(plan, file('client-stack')),
  'registry-heartbeat': () => profileRegistry(plan, 'heartbeat', file('registry-heartbeat')),
  'registry-registration': () => profileRegistry(plan, 'registration', file('registry-registration')),
};
for (const [name, take] of Object.entries(profiles)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const measurement = await take();
  for (const path of globSync(`${name}*-${label}.cpuprofile`, { cwd: folder })) report(path, measurement);
}

function file(name: string): string {
  return join(folder, `${name}-${label}.cpuprofile`);
}

function report(path: string, measurement: Measurement): void {
  const name = path.replace(/\.cpuprofile$/, '.md');
  const summary = summariseProfile(JSON.parse(readFileSync(join(folder, path), 'utf8')) as CpuProfile);
  writeFileSync(join(folder, name), pageOf(name, summary, measurement));
  console.log(`bench/profiles/${name}`);
}

function pageOf(file: string, { busyMs, self, inclusive, packages }: ProfileSummary, measurement: Measurement): string {
  const costs = measurement.processes
    .map(({ role, cpuMs }) => `${role} ${((cpuMs * 1_000) / measurement.operations).toFixed(1)} µs of CPU`)
    .join(', ');
  return `# Profile ${file.replace(/\.md$/, '')}

Shares of ${Math.round(busyMs)} ms in which the process was not idle, after its warm-up. While the profiler ran, one
operation took: ${costs}.

## By package, self time

${tableOf(packages)}
## By function, self time

${tableOf(self)}
## By function, with all that it calls

${tableOf(inclusive)}`;
}

function tableOf(costs: ProfileSummary['self']): string {
  const lines = costs.slice(0, shown).map(({ name, share }) => `| ${(share * 100).toFixed(1)} % | \`${name}\` |`);
  return ['| share | where |', '|---|---|', ...lines, ''].join('\n');
}
