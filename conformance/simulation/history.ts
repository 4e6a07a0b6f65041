import type { Random } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';

/**
 * What may happen to instances:
 *
 * | kind | what they do |
 * |---|---|
 * | `slow` | answer after 100 times as long |
 * | `dead` | lose the calls in hand, refuse connections |
 * | `flaps` | the same, for every second half second |
 * | `errors` | fail with INTERNAL, having begun the work |
 * | `silent` | accept and never answer |
 * | `sheds` | refuse with UNAVAILABLE, nothing done |
 * | `blocked` | nothing, until their event loop goes on |
 * | `restart` | drain, end and come back as another process, one after the other |
 * | `frames` | answer and are asked over a connection that repeats, swaps, loses or garbles frames (only over the wire) |
 * | `cut` | their connections break, and they take new ones (only over the wire) |
 * | `registry` | nothing; the registry loses, repeats and reorders what it says of everybody |
 */
export const troubleKinds = [
  'slow',
  'dead',
  'flaps',
  'errors',
  'silent',
  'sheds',
  'blocked',
  'restart',
  'frames',
  'cut',
  'registry',
] as const;

export type TroubleKind = (typeof troubleKinds)[number];

export interface Trouble {
  readonly kind: TroubleKind;
  /** Milliseconds of virtual time. */
  readonly atMs: number;
  readonly forMs: number;
  /** Whom it meets, by number. */
  readonly instances: readonly number[];
}

/** One run, wholly told by its numbers: the same history does the same each time. JSON throughout. */
export interface History {
  readonly seed: number;
  readonly instances: number;
  /** Calls are bytes in frames of RSocket, not only values. */
  readonly wire: boolean;
  /** Calls are made for so long, so many a second. */
  readonly trafficMs: number;
  readonly callsPerSecond: number;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly retriesPerSecond: number;
  readonly hedge: boolean;
  /** In which callers forget how slow somebody was. Default: that of the balancer, longer than a history. */
  readonly decayMs?: number | undefined;
  readonly troubles: readonly Trouble[];
}

/** Half of the histories are of a hundred instances, the others of a few, where ejection and panic are near. */
const fleets = [100, 100, 100, 40, 12, 5, 3];

/** The history of a seed. */
export function generateHistory(seed: number): History {
  const random = seededRandom(seed);
  const wire = random() < 0.4;
  const instances = oneOf(fleets, random);
  const kinds = troubleKinds.filter((kind) => wire || (kind !== 'frames' && kind !== 'cut'));
  const count = 1 + Math.floor(random() * random() * 4);
  // In some of them there is time to see whether calls come back to who is well again.
  const forgetful = random() < 0.25;
  return {
    seed,
    instances,
    wire,
    trafficMs: forgetful ? 8_000 : 5_000,
    callsPerSecond: oneOf([40, 80, 120], random),
    ...(forgetful && { decayMs: 500 }),
    timeoutMs: oneOf([200, 500, 1_000, 3_000], random),
    attemptTimeoutMs: oneOf([100, 300, 1_000], random),
    retriesPerSecond: oneOf([0, 1, 5], random),
    hedge: random() < 0.3,
    troubles: Array.from({ length: count }, () => trouble(oneOf(kinds, random), instances, random)),
  };
}

function trouble(kind: TroubleKind, instances: number, random: Random): Trouble {
  const atMs = 500 + Math.floor(random() * 1_500);
  if (kind === 'blocked') return { kind, atMs, forMs: 2_000, instances: some(instances, 0.1, random) };
  if (kind === 'restart') return { kind, atMs, forMs: 2_500, instances: some(instances, 0.5, random) };
  const forMs = 500 + Math.floor(random() * 2_000);
  if (kind === 'registry') return { kind, atMs, forMs, instances: [] };
  if (kind === 'frames') return { kind, atMs, forMs, instances: some(instances, 0, random) };
  return { kind, atMs, forMs, instances: some(instances, oneOf([0, 0.1, 0.1, 0.34, 1], random), random) };
}

/** One at least. A third is a zone, all of them is a backend that fails as a whole. */
function some(instances: number, share: number, random: Random): number[] {
  const count = Math.max(1, Math.floor(instances * share));
  const first = Math.floor(random() * instances);
  return Array.from({ length: count }, (_, index) => (first + index) % instances).toSorted((a, b) => a - b);
}

function oneOf<T>(choices: readonly T[], random: Random): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

/** As a person reads it. */
export function describeHistory({ troubles, ...history }: History): string {
  const { seed, instances, wire, trafficMs, callsPerSecond, timeoutMs, attemptTimeoutMs } = history;
  return [
    `seed ${seed}: ${instances} instances ${wire ? 'over the wire' : 'without a wire'}, ${callsPerSecond} calls a second for ${trafficMs} ms,`,
    `  timeoutMs ${timeoutMs}, attemptTimeoutMs ${attemptTimeoutMs}, ${history.retriesPerSecond} retries a second, ${history.hedge ? 'hedged' : 'not hedged'}`,
    ...troubles.map(
      ({ kind, atMs, forMs, instances: met }) =>
        `  ${String(atMs).padStart(5)} to ${String(atMs + forMs).padStart(5)} ms  ${kind} ${rangesOf(met)}`,
    ),
  ].join('\n');
}

function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}
