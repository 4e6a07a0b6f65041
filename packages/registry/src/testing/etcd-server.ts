import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, missing, type RealProcess, startProcess, until } from '@flotilla/core/testing';

const program = '/usr/bin/etcd';

/** Why etcd's tests cannot run here. */
export const etcdMissing = (): string | undefined => missing('etcd', [program], 'etcd-server');

/** How a test's etcd is started. */
export interface EtcdServerOptions {
  /** 1 or 3. */
  readonly members?: number;
  /** Files of a server certificate: https then. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  readonly args?: readonly string[];
}

/** A real etcd on loopback with data of its own. */
export class EtcdServer {
  readonly endpoints: readonly string[];
  readonly #folder: string;
  readonly #peers: readonly number[];
  readonly #options: EtcdServerOptions;
  readonly #members: (RealProcess | undefined)[] = [];

  private constructor(folder: string, ports: readonly number[], options: EtcdServerOptions) {
    const half = ports.length / 2;
    this.#folder = folder;
    this.#options = options;
    this.endpoints = ports.slice(0, half).map((port) => `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`);
    this.#peers = ports.slice(half);
  }

  static async start(options: EtcdServerOptions = {}): Promise<EtcdServer> {
    const { members = 1 } = options;
    const folder = await mkdtemp(join(tmpdir(), 'flotilla-etcd-'));
    const server = new EtcdServer(folder, await freePorts(2 * members), options);
    for (let member = 0; member < members; member++) server.startMember(member);
    await server.ready();
    return server;
  }

  startMember(member = 0): void {
    const { tls, args = [] } = this.#options;
    const client = this.endpoints[member] ?? '';
    const peer = `http://127.0.0.1:${this.#peers[member]}`;
    const cluster = this.#peers.map((port, index) => `m${index}=http://127.0.0.1:${port}`).join(',');
    const secure = tls
      ? ['--cert-file', tls.cert, '--key-file', tls.key].concat(
          tls.clientCa ? ['--client-cert-auth', '--trusted-ca-file', tls.clientCa] : [],
        )
      : [];
    this.#members[member] = startProcess(program, [
      ...['--name', `m${member}`, '--data-dir', join(this.#folder, `m${member}`)],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', cluster, '--initial-cluster-token', this.#folder],
      ...['--heartbeat-interval', '50', '--election-timeout', '500', '--logger', 'zap', '--log-level', 'error'],
      ...secure,
      ...args,
    ]);
  }

  /** Resolves when every member that runs knows a leader. */
  async ready(): Promise<void> {
    if (this.#options.tls) return; // who has the certificates asks
    await until('etcd answers', async () => {
      const running = this.endpoints.filter((_, member) => this.#members[member]);
      const answers = await Promise.all(running.map((endpoint) => healthy(endpoint)));
      return answers.every(Boolean);
    });
  }

  /** Milliseconds go by at it as if it were not there; it does not know. */
  async pause(member = 0): Promise<void> {
    await this.#members[member]?.pause();
  }

  resume(member = 0): void {
    this.#members[member]?.resume();
  }

  async kill(member = 0, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#members[member]?.end(signal);
    this.#members[member] = undefined;
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((_, member) => this.kill(member)));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function healthy(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/v3/kv/range`, { method: 'POST', body: '{"key":"AA=="}' });
    await response.text();
    return response.status === 200 || response.status === 400;
  } catch {
    return false;
  }
}
