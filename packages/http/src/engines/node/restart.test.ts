import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { Call, systemClock, systemRandom } from '@flotilla/core';
import { hasCode, request, text } from '../../../test/contract-support.ts';
import { nodeNetwork } from './index.ts';

const options = { timeout: 60_000 };
const child = new URL('../../../test/fixtures/serving-child.ts', import.meta.url).pathname;
const primary = new URL('../../../test/fixtures/cluster-primary.ts', import.meta.url).pathname;
const node = [process.execPath, '--conditions=flotilla-source'];

/** Answers and failures of a bounded load: some callers one call after the other, each on connections of its own. */
class Load {
  readonly answeredBy = new Set<string>();
  readonly failures: string[] = [];
  calls = 0;
  #running = true;
  readonly #callers: Promise<void>[];

  /** @param reuse keeps connections between calls; without it each call opens one. */
  constructor(port: number, callers: readonly { readonly reuse: boolean }[]) {
    this.#callers = callers.map(({ reuse }) => this.#run(port, reuse));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#callers);
  }

  /** Resolves when this many more calls were made, so that a restart happens under load and not beside it. */
  async more(calls: number): Promise<void> {
    const until = this.calls + calls;
    while (this.calls < until) await new Promise((resolve) => setImmediate(resolve));
  }

  async #run(port: number, reuse: boolean): Promise<void> {
    const network = nodeNetwork({ clock: systemClock, random: systemRandom });
    const target = { protocol: 'http', host: '127.0.0.1', port } as const;
    let endpoint = network.connect(target);
    while (this.#running) {
      const call = new Call({ clock: systemClock, random: systemRandom, deadline: systemClock.now() + 10_000 });
      await endpoint.handle(request('GET', '/'), call).then(
        async ({ body }) => void this.answeredBy.add(await text(body)),
        (error: Error) => void this.failures.push(error.message),
      );
      this.calls++;
      if (reuse) continue;
      await endpoint.close();
      endpoint = network.connect(target);
    }
    await endpoint.close();
  }
}

/** The lines that a process writes, one by one. */
function lines(process: ChildProcess): AsyncIterator<string> {
  assert.ok(process.stdout);
  return createInterface({ input: process.stdout })[Symbol.asyncIterator]();
}

/** Starts a child as systemd does: the socket is descriptor 3, and the environment names the child's own pid. */
async function startChild(socketFd: number): Promise<ChildProcess> {
  const script = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http exec "$0" "$@"';
  const started = spawn('/bin/sh', ['-c', script, ...node, child], { stdio: ['ignore', 'pipe', 'inherit', socketFd] });
  const { value } = await lines(started).next();
  assert.match(value ?? 'nothing', /^listening \d+ inherited$/);
  return started;
}

async function stopChild(running: ChildProcess): Promise<void> {
  const exited = once(running, 'exit');
  running.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
}

/** What a supervisor holds: a socket that is bound, and whose connections only its children accept. */
interface BoundSocket {
  readonly fd: number;
  getsockname(out: { port?: number }): void;
  close(): void;
}

/** Bound without accepting: not public in Node, where only the primary of a cluster does it; systemd does the same. */
function bindSocket(): { socket: BoundSocket; port: number } {
  const { _createServerHandle: bind } = net as unknown as {
    _createServerHandle(host: string, port: number, family: 4): BoundSocket;
  };
  const socket = bind('127.0.0.1', 0, 4);
  const address: { port?: number } = {};
  socket.getsockname(address);
  return { socket, port: address.port ?? 0 };
}

it('a socket that a supervisor holds open survives restarts: no call is refused or lost', options, async () => {
  const { socket, port } = bindSocket();
  const { fd } = socket;
  let running = await startChild(fd);
  const load = new Load(port, [{ reuse: true }, { reuse: true }, { reuse: false }, { reuse: false }]);
  for (let restart = 0; restart < 3; restart++) {
    await load.more(50);
    const next = await startChild(fd);
    await stopChild(running);
    running = next;
  }
  await load.more(50);
  await load.stop();
  await stopChild(running);
  socket.close();
  assert.deepEqual(load.failures, []);
  assert.ok(load.answeredBy.size >= 3, `answered by ${load.answeredBy.size} processes`);
});

it('workers that share a socket restart one after the other: no call is refused or lost', options, async () => {
  const [command = '', ...args] = [...node, primary];
  const cluster = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = lines(cluster);
  const port = Number((await said.next()).value?.split(' ')[1]);
  const load = new Load(port, [{ reuse: true }, { reuse: true }, { reuse: false }, { reuse: false }]);
  for (let restart = 0; restart < 3; restart++) {
    await load.more(50);
    cluster.stdin?.write('restart\n');
    assert.match((await said.next()).value ?? 'nothing', /^restarted/);
  }
  await load.more(50);
  await load.stop();
  const exited = once(cluster, 'exit');
  cluster.stdin?.end();
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(load.failures, []);
  assert.equal(load.answeredBy.size, 4, 'the first worker and its three successors');
});

it('a descriptor that is no listening socket: START_FAILED names it', async () => {
  const network = nodeNetwork({ clock: systemClock, random: systemRandom });
  const handler = async () => ({ status: 200, headers: request('GET', '/').headers, body: undefined });
  await assert.rejects(network.listen({ fd: 9_999 }, handler), (thrown) => {
    assert.match(String(thrown), /descriptor 9999/);
    return hasCode('START_FAILED')(thrown);
  });
});
