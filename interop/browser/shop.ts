import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');
const shop = join(root, 'examples/shop');

/** The shop, run as `flotilla dev` runs it, with data of its own. */
export interface RunningShop {
  /** Where the gateway is. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts every process of the shop on free ports, and waits until all of them serve. */
export async function startShop(): Promise<RunningShop> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-browser-'));
  const [registry, gateway] = [await freePort(), await freePort()];
  const fleet = readFileSync(join(shop, 'flotilla.yaml'), 'utf8')
    .replace('port: 8761', `port: ${registry}`)
    .replace('port: 8080', `port: ${gateway}`)
    .replaceAll(/run: (\S+)/g, (_, path: string) => `run: ${relative(folder, join(shop, path))}`);
  writeFileSync(join(folder, 'flotilla.yaml'), fleet);
  writeFileSync(join(folder, 'gateway.yaml'), readFileSync(join(shop, 'gateway.yaml')));
  const command = [join(root, 'packages/cli/src/main.ts'), 'dev', folder, '--json'];
  const child = spawn(process.execPath, ['--conditions=flotilla-source', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // a process group: its end takes all of it along
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.pid !== undefined) {
      process.kill(-child.pid, 'SIGINT');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (!line.startsWith('{"fleet"')) continue;
    const report = JSON.parse(line) as { readonly serving: boolean; readonly gateway: string };
    if (!report.serving) break;
    child.stdout.resume(); // nobody reads on: it must not fill up
    return { url: report.gateway, stop };
  }
  await stop();
  throw new Error(`the shop does not serve:\n${lines.slice(-40).join('\n')}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
