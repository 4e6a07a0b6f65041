import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startProgram } from './program.ts';

const root = join(import.meta.dirname, '../../..');

/** A process of ours, started as its user starts it, in a folder of its own. */
export interface OurProgram extends Program {
  readonly url: string;
}

/** `flotilla registry start`. Eureka's API is at `${url}/eureka`. */
export function startOurRegistry(args: readonly string[] = [], port = 0): Promise<OurProgram> {
  return start('our-registry', 'packages/cli/src/main.ts', ['registry', 'start', `--port=${port}`, ...args]);
}

/** `flotilla gateway start`, with the routes that a file holds. */
export function startOurGateway(routesFile: string, registry: string): Promise<OurProgram> {
  const args = ['gateway', 'start', '--port=0', `--routes=${routesFile}`, `--registry=${registry}`];
  return start('our-gateway', 'packages/cli/src/main.ts', args);
}

/** A TypeScript service. */
export function startOurService(name: string, program: string, registry: string, port = 0): Promise<OurProgram> {
  return start(name, program, [`--port=${port}`, `--registry=${registry}`, '--drain-notice-ms=0']);
}

async function start(name: string, program: string, args: readonly string[]): Promise<OurProgram> {
  const cwd = mkdtempSync(join(tmpdir(), 'flotilla-interop-'));
  process.once('exit', () => rmSync(cwd, { recursive: true, force: true }));
  const running = startProgram(
    name,
    process.execPath,
    ['--conditions=flotilla-source', join(root, program), ...args, '--log.format=json'],
    { cwd },
  );
  try {
    const [line] = await running.said(/"msg":"serving"/);
    const { url } = JSON.parse((await running.said(/^.*"msg":"serving".*$/))[0] ?? line) as { url: string };
    return Object.assign(running, { url });
  } catch (error) {
    await running.kill();
    throw error;
  }
}
