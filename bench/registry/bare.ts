/** The least that a server in Node can do for a heartbeat: node:http and a Map. */
import { createServer } from 'node:http';
import { serveHarness } from '../harness/program.ts';

const renewed = new Map<string, number>();
const server = createServer((request, response) => {
  renewed.set((request.url ?? '').split('?')[0] ?? '', Date.now());
  request.resume();
  response.writeHead(request.method === 'POST' ? 204 : 200, { 'content-length': '0' });
  response.end();
});
server.keepAliveTimeout = 0;
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
serveHarness(
  { port: (server.address() as { port: number }).port },
  { count: () => ({ size: renewed.size }), stall: () => ({}), memory: () => process.memoryUsage() },
);
