import { describeHistory, type History } from './history.ts';
import { invariants } from './invariants.ts';
import { type Mutations, runHistory } from './run.ts';

/** A history in which something did not hold. */
export interface Failure {
  readonly history: History;
  readonly invariant: string;
  readonly why: string;
}

/** Runs a history and looks at everything that has to hold. @returns what does not, the first one */
export async function judge(history: History, mutations?: Mutations): Promise<Failure | undefined> {
  const record = await runHistory(history, mutations);
  for (const { name, broken } of invariants) {
    const why = broken(history, record);
    if (why !== undefined) return { history, invariant: name, why };
  }
  return undefined;
}

/** Runs of one search for something smaller. */
const mostRuns = 60;

/**
 * A smaller history in which the same does not hold: without troubles that play no part, without hedges, with fewer calls and
 * shorter, as far as it still fails.
 */
export async function shrink(failure: Failure, mutations?: Mutations): Promise<Failure> {
  let smallest = failure;
  let runs = 0;
  for (let found = true; found; ) {
    found = false;
    for (const candidate of smallerThan(smallest.history)) {
      if (runs++ >= mostRuns) return smallest;
      const judged = await judge(candidate, mutations);
      if (judged?.invariant !== failure.invariant) continue;
      smallest = judged;
      found = true;
      break;
    }
  }
  return smallest;
}

function* smallerThan(history: History): Generator<History> {
  const { troubles, trafficMs, callsPerSecond, instances } = history;
  for (const trouble of troubles) yield { ...history, troubles: troubles.filter((each) => each !== trouble) };
  for (const trouble of troubles) {
    if (trouble.instances.length < 2) continue;
    const half = trouble.instances.slice(0, Math.ceil(trouble.instances.length / 2));
    yield { ...history, troubles: troubles.map((each) => (each === trouble ? { ...trouble, instances: half } : each)) };
  }
  if (history.hedge) yield { ...history, hedge: false };
  if (history.wire && !troubles.some(({ kind }) => kind === 'frames' || kind === 'cut'))
    yield { ...history, wire: false };
  if (trafficMs > 1_000) yield { ...history, trafficMs: trafficMs - 1_000 };
  if (callsPerSecond > 20) yield { ...history, callsPerSecond: Math.ceil(callsPerSecond / 2) };
  const highest = Math.max(2, ...troubles.flatMap(({ instances: met }) => met));
  if (instances > highest + 1) yield { ...history, instances: highest + 1 };
}

/** What a person needs to see it again. */
export function describeFailure({ history, invariant, why }: Failure, smallest: Failure): string {
  return [
    `does not hold: ${invariant}`,
    `  ${why}`,
    describeHistory(history),
    `again: npm run simulate -- --seed=${history.seed}`,
    'the smallest history that was found in which it does not hold:',
    `  ${smallest.why}`,
    describeHistory(smallest.history),
    `keep it in conformance/simulation/seeds.json: ${JSON.stringify(smallest.history)}`,
  ].join('\n');
}
