import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, missing, type RealProcess, startProcess, until } from '@flotilla/core/testing';

const program = '/usr/bin/redis-server';

/** Why Redis's tests cannot run here. */
export const redisMissing = (): string | undefined => missing('redis-server', [program], 'redis-server');

/** A real Redis on loopback that keeps nothing on disk. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: RealProcess | undefined;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#args = args;
  }

  /** @param args further ones of `redis-server` */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const [port = 0] = await freePorts(1);
    const server = new RedisServer(port, await mkdtemp(join(tmpdir(), 'flotilla-redis-')), args);
    await server.run();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, with nothing in it. */
  async run(): Promise<void> {
    const place = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.#folder];
    this.#process = startProcess(program, [...place, '--save', '', '--appendonly', 'no', ...this.#args]);
    await until('Redis answers', () => answers(this.port));
  }

  /** It stands still; it does not know. */
  async pause(): Promise<void> {
    await this.#process?.pause();
  }

  resume(): void {
    this.#process?.resume();
  }

  async kill(): Promise<void> {
    await this.#process?.end();
    this.#process = undefined;
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Anything but silence: one that wants a password refuses, and is there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write('PING\r\n'));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.once('data', (chunk) => {
      resolve(/^(?:\+PONG|-NOAUTH)/.test(chunk.toString()));
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(false));
  });
}
