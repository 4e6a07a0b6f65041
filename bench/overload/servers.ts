/**
 * One server under overload, in a process of its own: `node server.ts flotilla 2000 limited`. Each answers `GET /work` after the
 * same work; ours answers calls over RSocket on the same port, too.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { keepObjectsYoung, service } from 'flotilla';
import { fixedResolver, startApp } from '../calls/fleet.ts';
import { serveHarness } from '../harness/program.ts';
import { bench } from './contract.ts';
import { work } from './work.ts';

const [kind = '', rounds = '', limited = ''] = process.argv.slice(2);

/** What a server of ours can do is measured without what keeps it from taking more. */
const unlimited = 'server: { concurrency: { enabled: false }, shedding: { enabled: false } }\n';

const servers: Readonly<Record<string, () => Promise<number>>> = {
  async node() {
    const server = createServer((_request, response) => {
      void work(Number(rounds)).then((text) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ text }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  },
  async fastify() {
    const server = fastify();
    server.get('/work', async () => ({ text: await work(Number(rounds)) }));
    await server.listen({ host: '127.0.0.1', port: 0 });
    return (server.server.address() as AddressInfo).port;
  },
  async flotilla() {
    keepObjectsYoung(); // as every process of a fleet
    const app = service('bench');
    app.handle(bench, { work: async () => ({ text: await work(Number(rounds)) }) });
    const config = limited === 'limited' ? '' : unlimited;
    const { running } = await startApp(app, fixedResolver('bench', []), config);
    return Number(new URL(running.url).port);
  },
};

const port = await servers[kind]?.();
serveHarness({ port }, { used });

/** Its clock, what the process has used so far, in milliseconds, and how long it was ready to run while others had its core. */
function used(): object {
  const { user, system } = process.cpuUsage();
  const waitedMs = Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  return { atMs: performance.now(), cpuMs: (user + system) / 1_000, waitedMs, rss: process.memoryUsage.rss() };
}
