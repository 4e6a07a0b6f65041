import { pickPolicies } from '@flotilla/balance';
import { systemClock } from '@flotilla/core';
import { Policies } from '@flotilla/resilience';
import { connectionFilters } from 'flotilla';
import { warmUp } from '../harness/cpu.ts';
import { assertCount, type Measurement, type Row } from '../harness/measurement.ts';
import type { Plan } from '../harness/plan.ts';
import { cores, profiled, startProgram } from '../harness/processes.ts';

type Counts = Readonly<Record<string, number>>;

/** The client's own layers, without codec and network. */
export const clientStack: Row = {
  id: 'client-stack',
  title: 'Client stack alone: spans, metrics, deadline, retry, balancing, limits; no codec, no network',
  kind: 'cost',
  reference: 'flotilla',
  operation: 'call',
  budget: '2 µs a call',
  own: (folder) => (plan) => measureStack(plan, undefined, folder),
  subjects: [{ id: 'flotilla', title: 'Flotilla', measure: (plan) => measureStack(plan) }],
};

/** What each part of it takes: what is saved by leaving it out. */
export const clientFilterCosts: Row = {
  id: 'client-stack-filters',
  title: 'Client stack, one part left out at a time',
  kind: 'figures',
  reference: 'whole',
  operation: 'call',
  budget: 'none: where the 2 µs of a call go',
  subjects: [
    { id: 'whole', title: 'whole', measure: (plan) => measureWithout(undefined, plan) },
    ...partsOfStack().map((part) => ({
      id: `without-${part}`,
      title: `without \`${part}\``,
      measure: (plan: Plan) => measureWithout(part, plan),
    })),
  ],
};

/** In the order in which a call meets them. */
function partsOfStack(): string[] {
  const guard = new Policies({ clock: systemClock }).client('catalog');
  const outer = guard.callFilters({ contract: 'catalog', operation: 'product', streamed: false }, {});
  const inner = connectionFilters('one', guard);
  const names = (entries: readonly { readonly name: string }[]): string[] => entries.map(({ name }) => name);
  return ['observe', ...names(outer), 'cluster', ...names(inner), 'everything'];
}

/** Every pick, with the bookkeeping of calls that begin and end. */
export const pick: Row = {
  id: 'pick',
  title: 'Pick of one among 1,000 instances',
  kind: 'cost',
  reference: 'least-loaded',
  operation: 'pick',
  budget: '0.2 µs a pick',
  subjects: pickPolicies.map((policy) => ({
    id: policy,
    title: `Flotilla, ${policy}`,
    measure: (plan) => measurePick(policy, plan),
  })),
};

/** @param profile file for a profile */
export async function measureStack(plan: Plan, profile?: string, folder?: string): Promise<Measurement> {
  const warmed = { operations: 0 };
  const { measurement, counts } = await inOneProcess('programs/client-stack.ts', [], plan, profile, warmed, folder);
  const made = warmed.operations + measurement.operations;
  assertCount('calls that arrived', counts['answered'] ?? -1, made);
  assertCount('calls with a deadline', counts['armed'] ?? -1, made);
  assertCount('spans', counts['traced'] ?? -1, made);
  assertCount('calls in the metrics', counts['metered'] ?? -1, made);
  return measurement;
}

/** The whole stack of the round in hand, for the difference. */
let wholeUs = Number.NaN;

async function measureWithout(part: string | undefined, plan: Plan): Promise<Measurement> {
  const args = part === undefined ? [] : [part];
  const { measurement, bytes } = await inOneProcess('programs/client-stack.ts', args, plan, undefined, {
    operations: 0,
  });
  const us = ((measurement.processes[0]?.cpuMs ?? 0) * 1_000) / measurement.operations;
  if (part === undefined) wholeUs = us;
  const figures = { 'CPU µs each': us, 'less than whole': wholeUs - us, 'bytes each': bytes };
  return { ...measurement, figures };
}

async function measurePick(policy: string, plan: Plan): Promise<Measurement> {
  const warmed = { operations: 0 };
  const { measurement, counts } = await inOneProcess('programs/pick.ts', [policy], plan, undefined, warmed);
  assertCount('picks', counts['picked'] ?? -1, warmed.operations + measurement.operations);
  assertCount('instances that were never picked', counts['never'] ?? -1, 0);
  return measurement;
}

async function inOneProcess(
  file: string,
  args: readonly string[],
  plan: Plan,
  profile: string | undefined,
  warmed: { operations: number },
  folder?: string,
): Promise<{ readonly measurement: Measurement; readonly counts: Counts; readonly bytes: number }> {
  const program = await startProgram(file, args, cores.measured, folder);
  try {
    await warmUp([program.pid], plan.warmMs, async () => {
      const { operations } = await program.ask({ ask: 'run', ms: plan.warmMs / 2 });
      warmed.operations += Number(operations);
    });
    const run = (): Promise<Counts> => program.ask({ ask: 'run', ms: plan.measureMs }) as Promise<Counts>;
    const ran = await profiled(program, profile, run);
    const counts = (await program.ask({ ask: 'count' })) as Counts;
    const { operations = 0, wallMs = 0, cpuMs = 0 } = ran;
    const allocated = (await program.ask({ ask: 'allocate' })) as Counts;
    const bytes = (allocated['bytes'] ?? 0) / (allocated['operations'] ?? 1);
    return { measurement: { operations, wallMs, processes: [{ role: 'process', cpuMs }] }, counts, bytes };
  } finally {
    await program.stop();
  }
}
