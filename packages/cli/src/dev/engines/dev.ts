import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FileWatch, watchFile } from '@flotilla/config';
import { FlotillaError, systemClock } from '@flotilla/core';
import { isAlive } from '../../engines/process-alive.ts';
import { type Fleet, readFleet } from '../../fleet.ts';
import { formatLogLine, type Paint, paintColours, paintNothing } from '../log-line.ts';
import { type FleetPorts, planFleet, portsOf } from '../plan.ts';
import { type ProcessPlan, titleOf } from '../process-plan.ts';
import { startTable } from '../start-table.ts';
import { parseState, statePath } from '../state-file.ts';
import { freePort } from './free-port.ts';
import { type ProcessView, type Supervised, supervise } from './supervisor.ts';

/** How `flotilla dev` shows itself. */
export interface DevOptions {
  /** Logs as they come from the processes, one JSON document per line, and the table as one. */
  readonly json: boolean;
  readonly print: (text: string) => void;
  readonly colours: boolean;
}

/**
 * Runs a whole fleet in the foreground.
 * 1. Reads `flotilla.yaml` in `folder`; takes the next free port where one is taken, and says so.
 * 2. Starts the registry, then everything else; prints one table when all serve, or what keeps them from it.
 * 3. Restarts the processes that stand on a changed file, each on its own listening socket: no call is refused.
 * 4. SIGINT or SIGTERM drains everything, the registry last; a second one ends it at once.
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
  const fleet = readFleet('flotilla.yaml', readFileSync(file, 'utf8'));
  const ports = await findPorts(fleet, options.print);
  const plans = planFleet(fleet, {
    folder: root,
    program: fileURLToPath(
      new URL(import.meta.url.endsWith('.ts') ? '../../main.ts' : '../../main.js', import.meta.url),
    ),
    ports,
    compileCache: compileCacheRoot(),
    join,
    read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  });
  const run = new FleetRun(root, fleet, ports, plans, options);
  run.onSignals();
  await run.start(startedAt);
}

class FleetRun {
  readonly #root: string;
  readonly #fleet: Fleet;
  readonly #ports: FleetPorts;
  readonly #plans: readonly ProcessPlan[];
  readonly #options: DevOptions;
  readonly #processes = new Map<ProcessPlan, Supervised>();
  readonly #watches: FileWatch[] = [];
  readonly #paint: Paint;
  readonly #column: number;
  #stopping = false;

  constructor(root: string, fleet: Fleet, ports: FleetPorts, plans: readonly ProcessPlan[], options: DevOptions) {
    this.#root = root;
    this.#fleet = fleet;
    this.#ports = ports;
    this.#plans = plans;
    this.#options = options;
    this.#paint = options.colours ? paintColours : paintNothing;
    this.#column = Math.max(...plans.map((plan) => this.#title(plan).length), 3);
  }

  async start(startedAt: number): Promise<void> {
    for (const [position, stage] of stagesOf(this.#plans).entries()) {
      const started = stage.map((plan) => this.#supervise(plan).firstServing);
      if (position === 0) await warmCompileCache(); // while the registry starts on another core
      await Promise.allSettled(started);
      if (this.#stopping) return;
    }
    this.#options.print(
      startTable({
        fleet: this.#fleet.name,
        rows: this.#plans.map((plan) => this.#rowOf(plan)),
        gateway: this.#urlOf('gateway'),
        seconds: (systemClock.now() - startedAt) / 1_000,
        json: this.#options.json,
        paint: this.#paint,
      }),
    );
    await this.#watch();
  }

  onSignals(): void {
    const stop = (): void => void this.#stop();
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  }

  #supervise(plan: ProcessPlan): Supervised {
    const supervised = supervise(plan, systemClock, {
      changed: (view, why) => this.#changed(view, why),
      line: (view, text) => this.#line(view, text),
    });
    this.#processes.set(plan, supervised);
    return supervised;
  }

  #line({ plan }: ProcessView, text: string): void {
    const { print, json } = this.#options;
    print(json ? text : formatLogLine(text, this.#title(plan), this.#column, this.#plans.indexOf(plan), this.#paint));
  }

  #changed({ plan }: ProcessView, why: string | undefined): void {
    if (why !== undefined && !this.#stopping) this.#say(`${this.#title(plan)}: ${why}`, 'yellow');
    this.#writeState();
  }

  #say(text: string, colour: 'yellow' | 'gray' = 'gray'): void {
    if (this.#options.json) this.#options.print(JSON.stringify({ level: 30, msg: text, service: 'dev' }));
    else this.#options.print(`${' '.repeat(12)} ${'dev'.padEnd(this.#column)} ${this.#paint(colour, text)}`);
  }

  async #watch(): Promise<void> {
    const files = new Set(this.#plans.flatMap((plan) => [...plan.files]));
    for (const file of files) this.#watches.push(await watchFile(file, systemClock, () => this.#fileChanged(file)));
  }

  /** Copies of a service are replaced one after the other, so that one of them always takes calls. */
  #fileChanged(file: string): void {
    const affected = this.#plans.filter((plan) => plan.files.has(file));
    const names = [...new Set(affected.map(({ name }) => name))];
    this.#say(`${file.slice(this.#root.length + 1)} changed: restarting ${names.join(', ')}`);
    for (const name of names) {
      void affected
        .filter((plan) => plan.name === name)
        .reduce(
          (before, plan) => before.then(() => this.#processes.get(plan)?.replace()),
          Promise.resolve<void>(undefined),
        );
    }
  }

  async #stop(): Promise<void> {
    if (!this.#stopping) this.#say('stopping; Ctrl-C again ends at once');
    this.#stopping = true;
    for (const watch of this.#watches) watch.close();
    // The door first, then what stands behind it, the registry last: nobody calls somebody who has left.
    const order = [
      this.#plans.filter(({ name }) => name === 'gateway'),
      this.#plans.filter(({ name }) => name !== 'gateway' && name !== 'registry'),
      this.#plans.filter(({ name }) => name === 'registry'),
    ];
    for (const group of order) await Promise.all(group.map((plan) => this.#processes.get(plan)?.stop()));
    rmSync(join(this.#root, statePath), { force: true });
    process.exit(0);
  }

  #rowOf(plan: ProcessPlan): { readonly name: string; readonly url: string; readonly state: string } {
    const view = this.#processes.get(plan)?.view;
    return { name: this.#title(plan), url: view?.url ?? '', state: view?.state ?? 'stopped' };
  }

  #urlOf(name: string): string {
    return `http://127.0.0.1:${portsOf(this.#ports, name).port}`;
  }

  #title(plan: ProcessPlan): string {
    return titleOf(plan, this.#plans.filter(({ name }) => name === plan.name).length);
  }

  #writeState(): void {
    mkdirSync(join(this.#root, '.flotilla'), { recursive: true });
    const state = {
      fleet: this.#fleet.name,
      pid: process.pid,
      registry: this.#urlOf('registry'),
      gateway: this.#urlOf('gateway'),
      processes: [...this.#processes].map(([plan, { view }]) => ({
        name: plan.name,
        title: this.#title(plan),
        state: view.state,
        pid: view.pid ?? null,
        url: view.url ?? null,
        managementUrl: view.managementUrl ?? null,
      })),
    };
    writeFileSync(join(this.#root, statePath), `${JSON.stringify(state, null, 2)}\n`);
  }
}

function stagesOf(plans: readonly ProcessPlan[]): ProcessPlan[][] {
  const stages = [...new Set(plans.map(({ stage }) => stage))].sort((a, b) => a - b);
  return stages.map((stage) => plans.filter((plan) => plan.stage === stage));
}

/**
 * Compiles what all processes load once, here, when nobody has done so before: a first start would otherwise compile it
 * in each of them, side by side.
 */
async function warmCompileCache(): Promise<void> {
  const folder = getCompileCacheDir();
  if (folder === undefined || readdirSync(folder).length > 200) return;
  await Promise.all([import('../../roots/registry.ts'), import('../../roots/gateway.ts')]);
  flushCompileCache();
}

/** What `NODE_COMPILE_CACHE` takes: Node adds a folder for its version below it. */
function compileCacheRoot(): string | undefined {
  const versioned = getCompileCacheDir();
  return versioned && dirname(versioned);
}

async function findPorts(fleet: Fleet, print: (text: string) => void): Promise<FleetPorts> {
  const taken = new Set<number>();
  const take = async (title: string, wanted: number): Promise<number> => {
    const port = await freePort('127.0.0.1', wanted, taken);
    taken.add(port);
    if (wanted !== 0 && port !== wanted) print(`port ${wanted} is taken; ${title} takes ${port}`);
    return port;
  };
  const of = new Map<string, { readonly port: number; readonly management: number }>();
  const add = async (title: string, wanted: number): Promise<void> => {
    of.set(title, { port: await take(title, wanted), management: await take(title, 0) });
  };
  await add('registry', fleet.registryPort);
  await add('gateway', fleet.gatewayPort);
  for (const { name, instances, port } of fleet.services) {
    for (let copy = 1; copy <= instances; copy++) await add(`${name}.${copy}`, port === 0 ? 0 : port + copy - 1);
  }
  return { of };
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
