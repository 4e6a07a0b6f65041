import { join } from 'node:path';
import { Place } from '../place.ts';
import type { Program } from '../program.ts';
import type { Called, Command } from './caller.ts';
import type { Mood, Order } from './contract.ts';
import type { Explained } from './traffic.ts';

const size = 10;
/** Processes that call in each scenario. */
export const callersOfFleet = 2;
const host = '127.0.0.1';

/** One instance of the small service. */
export class Worker {
  readonly port: number;
  readonly zone: string;
  readonly program: Program;

  constructor(port: number, zone: string, program: Program) {
    this.port = port;
    this.zone = zone;
    this.program = program;
  }

  feel(mood: Mood): void {
    this.program.tell({ mood } satisfies Order);
  }

  block(blockMs: number): void {
    this.program.tell({ blockMs } satisfies Order);
  }
}

/** One process that calls. */
export class Caller {
  readonly #program: Program;
  readonly #management: string;

  constructor(program: Program, managementPort: number) {
    this.#program = program;
    this.#management = `http://${host}:${managementPort}`;
  }

  start(): Promise<void> {
    return this.#program.start();
  }

  begin(ratePerSecond: number): void {
    this.#program.tell({ ratePerSecond } satisfies Command);
  }

  /** Calls no more. @returns what became of each call, once all have ended */
  async end(): Promise<readonly Called[]> {
    const said = this.#program.said('called');
    this.#program.tell({ end: true } satisfies Command);
    return (await said) as readonly Called[];
  }

  async explain(): Promise<Explained> {
    const answer = await fetch(`${this.#management}/why`);
    const [explained] = (await answer.json()) as readonly Explained[];
    return explained ?? { instances: [] };
  }

  /** The sum of all series of a metric whose labels contain the text. */
  async count(metric: string, labels: string): Promise<number> {
    const text = await (await fetch(`${this.#management}/metrics`)).text();
    let sum = 0;
    for (const line of text.split('\n')) {
      if (line.startsWith(`${metric}{`) && line.includes(labels)) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
    }
    return sum;
  }

  kill(): Promise<void> {
    return this.#program.kill();
  }
}

/**
 * A registry and ten instances of the small service, five in each of two zones, as processes of their own. Scenarios follow
 * each other on one fleet; each has callers of its own, which know nothing of what was before.
 */
export class WorkFleet {
  readonly place: Place = new Place();
  readonly workers: readonly Worker[];
  readonly #port: number;
  readonly #registry: ReturnType<Place['registry']>;
  #callers = 0;

  constructor(port: number) {
    this.#port = port;
    this.#registry = this.place.registry({ name: 'registry', port });
    this.workers = Array.from({ length: size }, (_, n) => {
      const zone = n % 2 === 0 ? 'east' : 'west';
      const flags = [`--port=${port + 1 + n}`, `--zone=${zone}`];
      return new Worker(port + 1 + n, zone, this.#program(`work-${n + 1}`, 'instance.ts', flags));
    });
  }

  async start(): Promise<void> {
    await this.#registry.program.start();
    await Promise.all(this.workers.map(({ program }) => program.start()));
  }

  /** Callers that see all instances. */
  async call(flags: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<readonly Caller[]> {
    const started = Array.from({ length: callersOfFleet }, () => {
      const number = ++this.#callers;
      const port = this.#port + 20 + (number % 100);
      return new Caller(
        this.#program(`caller-${number}`, 'caller.ts', [`--management.port=${port}`, ...flags], env),
        port,
      );
    });
    await Promise.all(started.map((caller) => caller.start()));
    return started;
  }

  #program(name: string, file: string, flags: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
    return this.place.program({
      name,
      command: [
        process.execPath,
        '--conditions=flotilla-source',
        join(import.meta.dirname, file),
        `--registry=${this.#registry.url}`,
        `--state-dir=${join(this.place.folder, name, 'state')}`,
        '--log.format=json',
        ...flags,
      ],
      cwd: this.place.folder,
      env,
      serving: '"serving"',
      logFile: join(this.place.folder, `${name}.log`),
      messages: true,
    });
  }
}

let shared: WorkFleet | undefined;

/** The fleet of this run, started by the first scenario that wants it. */
export async function workFleet(port: number): Promise<WorkFleet> {
  if (!shared) {
    shared = new WorkFleet(port);
    await shared.start();
  }
  return shared;
}

/** @param keep its logs, for somebody who wants to read them. */
export async function endWorkFleet(keep: boolean): Promise<void> {
  if (keep && shared) console.log(`logs of the fleet that was called: ${shared.place.folder}`);
  await shared?.place.end(keep);
  shared = undefined;
}
