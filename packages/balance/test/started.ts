import type { Call, FlotillaError } from '@flotilla/core';
import { createCluster } from '../src/balanced-cluster.ts';
import type { Cluster, ClusterOptions } from '../src/cluster.ts';
import type { Fleet } from './fleet.ts';

/** A cluster that follows its registry already. */
export function started(world: Fleet, options: Partial<ClusterOptions<string, string>> = {}): Cluster<string, string> {
  const cluster = createCluster({ ...world.options, ...options });
  cluster.start();
  return cluster;
}

export async function names(
  world: Fleet,
  cluster: Cluster<string, string>,
  times: number,
  prepare: (call: Call) => void = () => {},
  baggage: ReadonlyMap<string, string> = new Map(),
): Promise<string[]> {
  const answers: string[] = [];
  for (let n = 0; n < times; n++) {
    const call = world.newCall({ baggage });
    prepare(call);
    answers.push(await cluster.handle('x', call).catch((error: FlotillaError) => error.code));
  }
  return answers;
}

export const once = (answers: readonly string[]): string[] => [...new Set(answers)].toSorted();
