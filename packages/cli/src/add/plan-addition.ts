import { FlotillaError } from '@flotilla/core';
import { readRoutes } from '@flotilla/gateway';
import { edgeFiles, type NewFile, serviceFiles, serviceNameProblem } from 'create-flotilla/templates';
import { readFleet } from '../fleet.ts';
import { withRoute, withService } from './edit-yaml.ts';

/** What is to be added. */
export interface Addition {
  readonly kind: 'service' | 'edge';
  readonly name: string;
  /** Who may call an edge service through the gateway. It has to be said: nobody opens a door by accident. */
  readonly auth?: 'public' | 'required' | undefined;
}

/** The fleet's files. */
export interface FleetFiles {
  /** @returns undefined when it does not exist. */
  readonly read: (path: string) => string | undefined;
}

/** What an addition writes. */
export interface AdditionPlan {
  /** Files that do not exist yet. */
  readonly created: readonly NewFile[];
  /** Files with their new text. */
  readonly changed: readonly NewFile[];
  /** What to do then, one step each. */
  readonly next: readonly string[];
}

/**
 * Plans an addition; writes nothing. What would be written is read as the programs of the fleet would read it.
 * @throws FlotillaError INVALID_INPUT for a name or an option that does not fit; CONFIG_INVALID for files that do not.
 */
export function planAddition({ kind, name, auth }: Addition, { read }: FleetFiles): AdditionPlan {
  assertFits({ kind, name, auth });
  const text = read(fleetFile);
  if (text === undefined) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      `there is no ${fleetFile} here; go to the folder of a fleet, or name it with --folder`,
    );
  }
  const { routes } = readFleet(fleetFile, text);
  const created = kind === 'edge' ? edgeFiles(name) : serviceFiles(name);
  const existing = created.filter(({ path }) => read(path) !== undefined).map(({ path }) => path);
  if (existing.length > 0) {
    throw new FlotillaError(
      'INVALID_INPUT',
      `${existing.join(', ')} exists already; nothing was written. Take another name`,
    );
  }
  const program = `${kind === 'edge' ? 'edge' : 'services'}/${name}.ts`;
  const extended = withService(fleetFile, text, name, program);
  readFleet(fleetFile, extended);
  const changed = [{ path: fleetFile, text: extended }];
  if (auth !== undefined) changed.push(routeFile(routes, read(routes), name, auth));
  return { created, changed, next: nextSteps(kind, name, auth) };
}

const fleetFile = 'flotilla.yaml';

function assertFits({ kind, name, auth }: Addition): void {
  const problem = serviceNameProblem(name);
  if (problem !== undefined) throw new FlotillaError('INVALID_INPUT', problem);
  if (kind === 'service' && auth !== undefined) {
    throw new FlotillaError(
      'INVALID_INPUT',
      '--auth is for edge services: a backend gets no route, so nobody outside can call it',
    );
  }
  if (kind === 'edge' && auth === undefined) {
    throw new FlotillaError(
      'INVALID_INPUT',
      'an edge service gets a route of the gateway, so say who may use it: --auth public (anybody) or --auth required (whom the gateway knows)',
    );
  }
}

function routeFile(path: string, text: string | undefined, name: string, auth: 'public' | 'required'): NewFile {
  if (text === undefined) {
    throw new FlotillaError('CONFIG_INVALID', `the gateway's route file "${path}" is not there; ${fleetFile} names it`);
  }
  readRoutes(text, path);
  const extended = withRoute(path, text, { id: name, path: `/${name}/**`, to: `service://${name}`, auth });
  readRoutes(extended, path);
  return { path, text: extended };
}

function nextSteps(kind: Addition['kind'], name: string, auth: Addition['auth']): string[] {
  const run = 'if the fleet runs, it starts it by itself; else: npm start';
  if (kind === 'service') {
    return [
      `say what it does in contracts/${name}.ts, and do it in services/${name}.ts`,
      run,
      `call it: npx flotilla call ${name}.list`,
    ];
  }
  const open = `open it: curl http://127.0.0.1:8080/${name}/home`;
  const closed = 'the gateway answers 401 until it knows its callers';
  return [
    `say what it shows in contracts/${name}.ts, and gather it in edge/${name}.ts`,
    run,
    auth === 'public' ? open : `${open}; ${closed}`,
  ];
}
