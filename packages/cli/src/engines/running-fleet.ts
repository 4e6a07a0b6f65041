import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FlotillaError } from '@flotilla/core';
import { type FleetProcess, type FleetState, parseState, statePath } from '../dev/state-file.ts';
import { isAlive } from './process-alive.ts';

/**
 * The fleet that `flotilla dev` runs: looked for in `folder` and upwards, then in the examples of the repository.
 * @throws FlotillaError UNAVAILABLE when none runs.
 */
export function runningFleet(folder: string): FleetState {
  for (const place of placesToLook(resolve(folder))) {
    const path = join(place, statePath);
    const state = existsSync(path) ? parseState(readFileSync(path, 'utf8')) : undefined;
    if (state && isAlive(state.pid)) return state;
  }
  throw new FlotillaError(
    'UNAVAILABLE',
    `no fleet runs in ${resolve(folder)} or above; start one with "flotilla dev", or name its folder with --folder; ` +
      'a registry elsewhere is named by --url or FLOTILLA_REGISTRY',
  );
}

/** The management address of a process that is up. */
export function managementOf(state: FleetState, name: string): FleetProcess & { readonly managementUrl: string } {
  const found = state.processes.find((candidate) => candidate.name === name && candidate.managementUrl !== null);
  if (found?.managementUrl) return { ...found, managementUrl: found.managementUrl };
  const names = [...new Set(state.processes.map((candidate) => candidate.name))].join(', ');
  throw new FlotillaError('NO_INSTANCE', `nothing called "${name}" serves now; the fleet has ${names}`);
}

function placesToLook(start: string): string[] {
  const places: string[] = [];
  for (let place = start; ; place = dirname(place)) {
    places.push(place);
    if (dirname(place) === place) break;
  }
  return [...places, join(start, 'examples', 'shop')];
}
