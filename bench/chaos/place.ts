import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.ts';

const root = join(import.meta.dirname, '../..');
const password = 'only for this run of chaos';
export const credentials = `chaos:${encodeURIComponent(password)}`;
const users = JSON.stringify({
  chaos: { password, role: 'operator', services: ['*'] },
});

/** One registry of a place. */
export interface RegistryNode {
  readonly program: Program;
  /** With credentials. */
  readonly url: string;
  readonly folder: string;
}

/** How a registry node is started. */
export interface NodeOptions {
  readonly name: string;
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly flags?: readonly string[];
  /** What stands before the command: another network, another clock. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder and the programs of one scenario. */
export class Place {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'flotilla-chaos-'));
  readonly programs: Program[] = [];

  registry({ name, port, host = '127.0.0.1', flags = [], within = [], env = {} }: NodeOptions): RegistryNode {
    const folder = this.folder;
    const program = new Program({
      name,
      command: [
        ...within,
        process.execPath,
        '--conditions=flotilla-source',
        join(root, 'packages/cli/src/main.ts'),
        'registry',
        'start',
        `--bind=${host}`,
        `--port=${port}`,
        `--snapshot-file=${join(folder, name, 'state')}`,
        '--log.format=json',
        '--log.level=info',
        ...flags,
      ],
      cwd: folder,
      env: { FLOTILLA_USERS: users, ...env },
      serving: '"serving"',
      logFile: join(folder, `${name}.log`),
    });
    this.programs.push(program);
    return { program, url: `http://${credentials}@${host}:${port}`, folder: join(folder, name) };
  }

  program(options: ConstructorParameters<typeof Program>[0]): Program {
    const program = new Program(options);
    this.programs.push(program);
    return program;
  }

  get crashes(): readonly string[] {
    return this.programs.flatMap(({ crashes }) => crashes);
  }

  /** @param keep for somebody who wants to read the logs. */
  async end(keep: boolean): Promise<void> {
    for (const program of this.programs) program.resume();
    await Promise.all(this.programs.map((program) => program.kill()));
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }
}
