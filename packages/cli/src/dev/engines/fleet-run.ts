import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FileFollower, type FileWatch, readConfigFiles, watchFile } from '@flotilla/config';
import { systemClock, toFlotillaError } from '@flotilla/core';
import { type Fleet, readFleet } from '../../fleet.ts';
import { formatLogLine, type Paint, paintColours, paintNothing } from '../log-line.ts';
import { type FleetPorts, planFleet, portsOf } from '../plan.ts';
import { type ProcessPlan, titleOf } from '../process-plan.ts';
import { startTable } from '../start-table.ts';
import { statePath } from '../state-file.ts';
import { addServicePorts } from './fleet-ports.ts';
import { type ProcessView, type Supervised, supervise } from './supervisor.ts';

/** How `flotilla dev` shows itself. */
export interface DevOptions {
  /** Logs as they come from the processes, one JSON document per line, and the table as one. */
  readonly json: boolean;
  readonly print: (text: string) => void;
  readonly colours: boolean;
}

/** A fleet that `flotilla dev` keeps running. */
export class FleetRun {
  readonly #root: string;
  readonly #ports: FleetPorts;
  readonly #options: DevOptions;
  readonly #follower: FileFollower;
  readonly #processes = new Map<ProcessPlan, Supervised>();
  readonly #watches = new Map<string, FileWatch>();
  /** What a process that goes on stands on since the file says other placements. */
  readonly #files = new Map<ProcessPlan, ReadonlySet<string>>();
  /** Processes that the fleet has no longer, until they have ended. */
  readonly #leaving = new Set<Promise<void>>();
  /** By service: copies are replaced one after the other. */
  readonly #replacing = new Map<string, Promise<void>>();
  readonly #paint: Paint;
  #fleet: Fleet;
  #plans: readonly ProcessPlan[];
  #stopping = false;

  constructor(root: string, fleet: Fleet, ports: FleetPorts, follower: FileFollower, options: DevOptions) {
    this.#root = root;
    this.#fleet = fleet;
    this.#ports = ports;
    this.#options = options;
    this.#follower = follower;
    this.#paint = options.colours ? paintColours : paintNothing;
    this.#plans = plansOf(fleet, root, ports);
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
        rows: [...this.#plans.map((plan) => this.#rowOf(plan)), ...this.#placedRows()],
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
      outdated: ({ plan: outdated }) => {
        this.#say(`configuration of ${this.#title(outdated)} changed: restarting it`);
        this.#replace([outdated]);
      },
      line: (view, text) => this.#line(view, text),
    });
    this.#processes.set(plan, supervised);
    return supervised;
  }

  #line({ plan }: ProcessView, text: string): void {
    const { print, json } = this.#options;
    const column = this.#column();
    print(json ? text : formatLogLine(text, this.#title(plan), column, this.#plans.indexOf(plan), this.#paint));
  }

  #column(): number {
    return Math.max(...this.#plans.map((plan) => this.#title(plan).length), 3);
  }

  #changed({ plan }: ProcessView, why: string | undefined): void {
    if (why !== undefined && !this.#stopping) this.#say(`${this.#title(plan)}: ${why}`, 'yellow');
    this.#writeState();
  }

  #say(text: string, colour: 'yellow' | 'gray' = 'gray'): void {
    if (this.#options.json) this.#options.print(JSON.stringify({ level: 30, msg: text, service: 'dev' }));
    else this.#options.print(`${' '.repeat(12)} ${'dev'.padEnd(this.#column())} ${this.#paint(colour, text)}`);
  }

  /** Watches the files that processes stand on: those that are not watched yet. */
  async #watch(): Promise<void> {
    const files = new Set(this.#plans.flatMap((plan) => [...this.#filesOf(plan)]));
    for (const [file, watch] of this.#watches) {
      if (files.has(file)) continue;
      watch.close();
      this.#watches.delete(file);
    }
    for (const file of files) {
      if (this.#watches.has(file)) continue;
      this.#watches.set(file, await watchFile(file, systemClock, () => this.#fileChanged(file)));
    }
  }

  #filesOf(plan: ProcessPlan): ReadonlySet<string> {
    return this.#files.get(plan) ?? plan.files;
  }

  #fileChanged(file: string): void {
    const affected = this.#plans.filter((plan) => this.#filesOf(plan).has(file));
    const names = [...new Set(affected.map(({ name }) => name))];
    this.#say(`${file.slice(this.#root.length + 1)} changed: restarting ${names.join(', ')}`);
    this.#replace(affected);
  }

  /** Copies of a service are replaced one after the other, so that one of them always takes calls. */
  #replace(plans: readonly ProcessPlan[]): void {
    for (const plan of plans) {
      const before = this.#replacing.get(plan.name) ?? Promise.resolve();
      const replaced = before.then(() => this.#processes.get(plan)?.replace());
      this.#replacing.set(plan.name, replaced);
    }
  }

  /** Makes of what runs what the file describes. What a process reads of the file itself is its own affair. */
  async refresh(): Promise<void> {
    if (this.#stopping) return;
    try {
      const [file] = await readConfigFiles(['flotilla.yaml']);
      const fleet = readFleet('flotilla.yaml', file?.text ?? '');
      await this.#become(fleet);
    } catch (thrown) {
      const { message } = toFlotillaError(thrown);
      this.#say(`flotilla.yaml refused; the fleet from before goes on\n${message}`, 'yellow');
    }
  }

  async #become(fleet: Fleet): Promise<void> {
    const { registryPort, gatewayPort } = this.#fleet;
    if (fleet.registryPort !== registryPort || fleet.gatewayPort !== gatewayPort) {
      this.#say('other ports of registry or gateway count when "flotilla dev" is started again', 'yellow');
    }
    await addServicePorts(fleet, this.#ports, (text) => this.#say(text, 'yellow'));
    const kept = new Map(this.#plans.map((plan) => [keyOf(plan), plan]));
    const next = plansOf(fleet, this.#root, this.#ports).map((plan) => {
      const same = kept.get(keyOf(plan));
      if (same) this.#files.set(same, plan.files);
      return same ?? plan;
    });
    const gone = this.#plans.filter((plan) => !next.includes(plan));
    const added = next.filter((plan) => !this.#processes.has(plan));
    this.#fleet = { ...fleet, registryPort, gatewayPort };
    this.#plans = next;
    if (added.length > 0) this.#say(`flotilla.yaml changed: starting ${titlesOf(added)}`);
    if (gone.length > 0) this.#say(`flotilla.yaml changed: stopping ${titlesOf(gone)}`);
    for (const plan of added) this.#supervise(plan);
    await this.#watch();
    for (const plan of gone) this.#remove(plan);
  }

  #remove(plan: ProcessPlan): void {
    const process = this.#processes.get(plan);
    this.#processes.delete(plan);
    this.#files.delete(plan);
    const left = (process?.stop() ?? Promise.resolve()).finally(() => {
      this.#leaving.delete(left);
      this.#writeState();
    });
    this.#leaving.add(left);
  }

  async #stop(): Promise<void> {
    if (!this.#stopping) this.#say('stopping; Ctrl-C again ends at once');
    this.#stopping = true;
    void this.#follower.close();
    for (const watch of this.#watches.values()) watch.close();
    // The door first, then what stands behind it, the registry last: nobody calls somebody who has left.
    const order = [
      this.#plans.filter(({ name }) => name === 'gateway'),
      this.#plans.filter(({ name }) => name !== 'gateway' && name !== 'registry'),
      this.#plans.filter(({ name }) => name === 'registry'),
    ];
    for (const group of order) await Promise.all(group.map((plan) => this.#processes.get(plan)?.stop()));
    await Promise.all(this.#leaving);
    rmSync(join(this.#root, statePath), { force: true });
    process.exit(0);
  }

  #rowOf(plan: ProcessPlan): { readonly name: string; readonly url: string; readonly state: string } {
    const view = this.#processes.get(plan)?.view;
    return { name: this.#title(plan), url: view?.url ?? '', state: view?.state ?? 'stopped' };
  }

  /** Services without a process of their own are as well as those that they are placed in. */
  #placedRows(): { readonly name: string; readonly url: string; readonly state: string }[] {
    const { services } = this.#fleet;
    return services
      .filter(({ instances }) => instances === 0)
      .map(({ name }) => {
        const hosts = services.filter(({ placed, instances }) => instances > 0 && placed.includes(name));
        const rows = this.#plans
          .filter((plan) => hosts.some((host) => host.name === plan.name))
          .map((plan) => this.#rowOf(plan));
        const state = rows.find((row) => row.state !== 'serving')?.state ?? 'serving';
        return { name, url: `in ${hosts.map((host) => host.name).join(', ')}`, state };
      });
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
    // Whole or not at all: another command may read it at this moment.
    const path = join(this.#root, statePath);
    writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`);
    renameSync(`${path}.new`, path);
  }
}

/** Two plans of one key are the same process. */
function keyOf({ name, copy, program }: ProcessPlan): string {
  return `${name}\n${copy}\n${program}`;
}

function titlesOf(plans: readonly ProcessPlan[]): string {
  return plans.map(({ name, copy }) => `${name}.${copy}`).join(', ');
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

function plansOf(fleet: Fleet, root: string, ports: FleetPorts): ProcessPlan[] {
  return planFleet(fleet, {
    folder: root,
    program: fileURLToPath(
      new URL(import.meta.url.endsWith('.ts') ? '../../main.ts' : '../../main.js', import.meta.url),
    ),
    ports,
    compileCache: compileCacheRoot(),
    join,
    read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  });
}

/** What `NODE_COMPILE_CACHE` takes: Node adds a folder for its version below it. */
function compileCacheRoot(): string | undefined {
  const versioned = getCompileCacheDir();
  return versioned && dirname(versioned);
}
