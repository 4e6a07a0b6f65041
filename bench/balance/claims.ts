import type { PickPolicy } from '@flotilla/balance';
import type { SimulationResult } from './simulate.ts';

interface Claim {
  readonly text: string;
  readonly holds: (of: (scenario: string, pick: PickPolicy) => SimulationResult) => boolean;
}

/** What docs/balancing.md says of the default, as far as a short run can show it. */
const claims: readonly Claim[] = [
  {
    text: 'among ten alike the default is no worse than random',
    holds: (of) => of('even', 'peak-ewma').p99Ms <= of('even', 'random').p99Ms,
  },
  {
    text: 'with one of ten 100 × slower the p99 of the default is less than a quarter of that of round robin',
    holds: (of) => of('slow', 'peak-ewma').p99Ms < of('slow', 'round-robin').p99Ms / 4,
  },
  {
    text: 'a blocked event loop loses its calls within 300 ms',
    holds: (of) => (of('blocked', 'peak-ewma').leftAfterMs ?? Infinity) <= 300,
  },
  ...['failing', 'dead', 'silent', 'flapping', 'zone'].map((scenario) => ({
    text: `${scenario}: with one retry at least 99.9 % of the calls are answered`,
    holds: (of: (scenario: string, pick: PickPolicy) => SimulationResult) => of(scenario, 'peak-ewma').success >= 0.999,
  })),
  {
    text: 'uneven machines: the default waits less than turns do',
    holds: (of) => of('uneven', 'peak-ewma').p99Ms < of('uneven', 'round-robin').p99Ms,
  },
  {
    text: 'cold instances get less than their even share',
    holds: (of) => of('cold', 'peak-ewma').oddShare < 0.2,
  },
];

/** The claims that these results contradict; those about scenarios that were not run are left out. */
export function brokenClaims(results: readonly SimulationResult[]): readonly string[] {
  return claims.filter((claim) => !holds(claim, results)).map(({ text }) => text);
}

function holds(claim: Claim, results: readonly SimulationResult[]): boolean {
  let missing = false;
  const held = claim.holds((scenario, pick) => {
    const result = results.find((candidate) => candidate.scenario === scenario && candidate.pick === pick);
    missing ||= result === undefined;
    return result ?? unknown;
  });
  return missing || held;
}

const unknown: SimulationResult = {
  scenario: '',
  pick: 'random',
  calls: 0,
  success: 0,
  p50Ms: 0,
  p99Ms: 0,
  retriesPer1000: 0,
  oddShare: 0,
  leftAfterMs: undefined,
  oddTries: [],
  tries: [],
};
