/**
 * One server under overload, in a process of its own: `node server.ts flotilla`. Each answers `GET /work` after the same
 * work: a wait, as for a database, then computing, which is what a process runs out of.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastify } from 'fastify';
import { service } from 'flotilla';
import { contract, get, query } from 'flotilla/contract';
import { z } from 'zod';
import { fixedResolver, startApp } from '../calls/fleet.ts';
import { serveHarness } from '../harness/program.ts';

const waitMs = 4;
const rounds = 1_000;

async function work(): Promise<string> {
  await sleep(waitMs);
  let text = 'order';
  for (let round = 0; round < rounds; round++) text = createHash('sha256').update(text).digest('hex');
  return text;
}

const servers: Readonly<Record<string, () => Promise<number>>> = {
  async node() {
    const server = createServer((_request, response) => {
      void work().then((text) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ text }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  },
  async fastify() {
    const server = fastify();
    server.get('/work', async () => ({ text: await work() }));
    await server.listen({ host: '127.0.0.1', port: 0 });
    return (server.server.address() as AddressInfo).port;
  },
  async flotilla() {
    const bench = contract(
      { name: 'bench', version: 1 },
      { work: query({ out: z.object({ text: z.string() }), http: get('/work') }) },
    );
    const app = service('bench');
    app.handle(bench, { work: async () => ({ text: await work() }) });
    const { running } = await startApp(app, fixedResolver('bench', []));
    return Number(new URL(running.url).port);
  },
};

const [kind = ''] = process.argv.slice(2);
const port = await servers[kind]?.();
serveHarness({ port }, { cpu: () => ({ ...process.cpuUsage(), rss: process.memoryUsage.rss() }) });
