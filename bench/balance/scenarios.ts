import type { Instance } from '@flotilla/core';
import { type Conduct, workMs } from './simulated-instance.ts';

/** A fleet with something about it. */
export interface SimulatedScenario {
  readonly id: string;
  readonly title: string;
  /** How many instances, and how many of the first ones are the odd ones. */
  readonly instances: number;
  readonly odd: number;
  /** Calls per second, as a share of what all healthy instances could do. */
  readonly utilisation: number;
  /** What the odd ones do, at so many milliseconds. */
  readonly conduct: (now: number) => Conduct;
  /** For how long from the beginning of the trouble calls are timed. Default: all calls are, from the start to the end. */
  readonly timedMs?: number;
  /** How much slower the others are: of a fleet of uneven machines the odd ones are the quick ones. */
  readonly slowness?: number;
  /** What is registered of one, besides its address. */
  readonly facts?: (index: number) => Partial<Instance>;
  readonly ownZone?: string;
}

const healthy: Conduct = { kind: 'serves', slowness: 1 };
const zones = ['a', 'b', 'c'];

/** When the odd instance's trouble begins: by then the callers know their instances. */
export const troubleAt = 2_000;

/** Until every caller has noticed; what comes later would dilute what it cost. */
const timedMs = 3_000;

const after =
  (trouble: Conduct) =>
  (now: number): Conduct =>
    now < troubleAt ? healthy : trouble;

/** Machines of two generations: what was bought later does twice as much. */
const olderSlowness = 2;

export const scenarios: readonly SimulatedScenario[] = [
  { id: 'even', title: 'ten alike', instances: 10, odd: 1, utilisation: 0.7, conduct: () => healthy },
  {
    id: 'slow',
    title: 'one of ten 100 × slower',
    instances: 10,
    odd: 1,
    utilisation: 0.6,
    conduct: after({ kind: 'serves', slowness: 100 }),
    timedMs,
  },
  {
    id: 'uneven',
    title: 'half the machines twice as fast',
    instances: 10,
    odd: 5,
    utilisation: 0.5,
    slowness: olderSlowness,
    conduct: () => healthy,
  },
  {
    id: 'cold',
    title: 'two of ten just came up: 10 × slower, warm after 20 s',
    instances: 10,
    odd: 2,
    utilisation: 0.6,
    conduct: (now) => ({ kind: 'serves', slowness: Math.max(1, 10 - (9 * now) / 20_000) }),
    facts: (index) => ({ startedAt: index < 2 ? 1_767_225_600_000 : 1_767_000_000_000 }),
  },
  {
    id: 'failing',
    title: 'one of ten returns errors',
    instances: 10,
    odd: 1,
    utilisation: 0.6,
    conduct: after({ kind: 'fails' }),
    timedMs,
  },
  {
    id: 'dead',
    title: 'one of ten refuses connections',
    instances: 10,
    odd: 1,
    utilisation: 0.6,
    conduct: after({ kind: 'dead' }),
    timedMs,
  },
  {
    id: 'silent',
    title: 'one of ten accepts and never answers',
    instances: 10,
    odd: 1,
    utilisation: 0.6,
    conduct: after({ kind: 'silent' }),
    timedMs,
  },
  {
    id: 'flapping',
    title: 'one of ten comes and goes every second',
    instances: 10,
    odd: 1,
    utilisation: 0.6,
    conduct: (now) => (Math.floor(now / 1_000) % 2 === 0 ? healthy : { kind: 'dead' }),
  },
  {
    id: 'blocked',
    title: 'one of ten blocks its event loop for 2 s',
    timedMs,
    instances: 10,
    odd: 1,
    utilisation: 0.6,
    // What comes while it is blocked waits for the end of it.
    conduct: (now) =>
      now < troubleAt || now >= troubleAt + 2_000
        ? healthy
        : { kind: 'serves', slowness: (troubleAt + 2_000 - now) / workMs },
  },
  {
    id: 'zone',
    title: 'the own zone of three is lost',
    instances: 12,
    odd: 4,
    utilisation: 0.2,
    conduct: after({ kind: 'dead' }),
    timedMs,
    ownZone: 'a',
    facts: (index) => ({ zone: zones[Math.floor(index / 4)] as string }),
  },
];
