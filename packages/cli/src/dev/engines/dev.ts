import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { followFiles } from '@flotilla/config';
import { FlotillaError, systemClock } from '@flotilla/core';
import { isAlive } from '../../engines/process-alive.ts';
import { readFleet } from '../../fleet.ts';
import { parseState, statePath } from '../state-file.ts';
import { findPorts } from './fleet-ports.ts';
import { type DevOptions, FleetRun } from './fleet-run.ts';

/**
 * Runs a whole fleet in the foreground.
 * 1. Reads `flotilla.yaml` in `folder`; takes the next free port where one is taken, and says so.
 * 2. Starts the registry, then everything else; prints one table when all serve, or what keeps them from it.
 * 3. Restarts the processes that stand on a changed file, each on its own listening socket: no call is refused.
 * 4. Follows `flotilla.yaml`: starts a service that was added, stops one that was removed, adds and removes copies,
 *    restarts a process whose configuration only another start takes in. A file with mistakes changes nothing.
 * 5. SIGINT or SIGTERM drains everything, the registry last; a second one ends it at once.
 */
export async function runFleet(folder: string, options: DevOptions): Promise<void> {
  const startedAt = systemClock.now();
  const root = realpathSync(resolve(folder));
  const file = join(root, 'flotilla.yaml');
  if (!existsSync(file)) {
    throw new FlotillaError('CONFIG_INVALID', `there is no flotilla.yaml in ${root}; a fleet is described there`);
  }
  refuseSecondFleet(root);
  // Whoever was registered before is gone: no fleet runs here. Yesterday's addresses would only be tried in vain.
  rmSync(join(root, '.flotilla', 'state'), { recursive: true, force: true });
  process.chdir(root);
  // Followed before it is read: a change between the two is not missed, and counts once everything is up.
  const up = Promise.withResolvers<FleetRun>();
  const follower = await followFiles(['flotilla.yaml'], systemClock, async () => (await up.promise).refresh());
  const fleet = readFleet('flotilla.yaml', readFileSync(file, 'utf8'));
  const ports = await findPorts(fleet, options.print);
  const run = new FleetRun(root, fleet, ports, follower, options);
  run.onSignals();
  await run.start(startedAt);
  up.resolve(run);
}

function refuseSecondFleet(root: string): void {
  const path = join(root, statePath);
  const state = existsSync(path) ? parseState(readFileSync(path, 'utf8')) : undefined;
  if (state && state.pid !== process.pid && isAlive(state.pid)) {
    throw new FlotillaError(
      'ADDRESS_IN_USE',
      `the fleet of ${root} is running already (process ${state.pid}); stop it first, or see it with "flotilla ps"`,
    );
  }
}
