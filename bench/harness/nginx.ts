import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startServer } from './processes.ts';

/** A server of somebody else that runs. */
export interface ForeignServer {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** The upstream of the row `gateway`: 150 bytes for every request, from memory. */
export interface Upstream extends ForeignServer {
  /** Requests that it answered, this question not counted. */
  answered(): Promise<number>;
}

/** What every upstream of the gateway answers. */
export const answer: string = JSON.stringify({
  id: 'p-1',
  name: 'Harbour rice bowl',
  description: 'rice, pickled radish, spring onion, sesame',
  priceCents: 1_150,
  currency: 'EUR',
  inStock: true,
});

export async function startUpstream(core: number): Promise<Upstream> {
  let asked = 0;
  const server = await startNginx(core, (port) => [
    `server { listen 127.0.0.1:${port} backlog=1024;`,
    `  location /catalog/ { default_type application/json; return 200 '${answer}'; }`,
    '  location = /status { stub_status; }',
    '}',
  ]);
  return {
    ...server,
    async answered() {
      const text = await (await fetch(`http://127.0.0.1:${server.port}/status`)).text();
      asked++;
      const [, , , requests] = /\n\s*(\d+) (\d+) (\d+)/.exec(text) ?? [];
      return Number(requests) - asked;
    },
  };
}

/** nginx as a proxy with connections kept alive on both sides, in one process. */
export function startNginxProxy(core: number, upstream: number): Promise<ForeignServer> {
  return startNginx(core, (port) => [
    `upstream service { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 1000000000; }`,
    `server { listen 127.0.0.1:${port} backlog=1024;`,
    '  location / {',
    '    proxy_pass http://service;',
    '    proxy_http_version 1.1;',
    '    proxy_set_header Connection "";',
    '    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    '  }',
    '}',
  ]);
}

/** HAProxy with one thread and connections to the server shared. */
export async function startHaproxy(core: number, upstream: number): Promise<ForeignServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const file = join(folder, 'haproxy.cfg');
  const lines = [
    'global',
    '  nbthread 1',
    '  maxconn 4096',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  option forwardfor',
    '  http-reuse always',
    'listen gateway',
    `  bind 127.0.0.1:${port}`,
    `  server service 127.0.0.1:${upstream}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const server = await startServer('haproxy', ['-db', '-q', '-f', file], core, port);
  return { port, pid: server.pid, stop: () => server.stop().finally(() => rmSync(folder, { recursive: true })) };
}

/** `nginx version: nginx/1.22.1` → `1.22.1` */
export function versionOfCommand(command: string, flag: string): string {
  const { stdout, stderr } = runQuietly(command, [flag]);
  return /(\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1] ?? 'of unknown version';
}

async function startNginx(core: number, serverOn: (port: number) => readonly string[]): Promise<ForeignServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const file = join(folder, 'nginx.conf');
  const lines = [
    'daemon off;',
    'master_process off;',
    'worker_processes 1;',
    `pid ${folder}/pid;`,
    'error_log /dev/null;',
    'events { worker_connections 4096; }',
    'http {',
    'access_log off;',
    'keepalive_requests 1000000000;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`),
    ...serverOn(port),
    '}',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const server = await startServer('nginx', ['-c', file, '-p', folder], core, port);
  return { port, pid: server.pid, stop: () => server.stop().finally(() => rmSync(folder, { recursive: true })) };
}

function runQuietly(command: string, args: readonly string[]): { stdout: string; stderr: string } {
  try {
    // nginx says its version on the other stream.
    const stdout = execFileSync('sh', ['-c', `"$0" "$@" 2>&1`, command, ...args], { encoding: 'utf8' });
    return { stdout, stderr: '' };
  } catch {
    throw new Error(`${command} is missing; on Debian: apt-get install nginx-light haproxy wrk`);
  }
}
