/** A proxy as one writes it in an afternoon: `node:http` before, an undici pool behind, bodies streamed. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { serveHarness } from '../harness/program.ts';

const [upstream = ''] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${upstream}`, { connections: 64 });
const server = createServer((request, response) => {
  const { method = 'GET', url = '/', headers } = request;
  const { connection, 'keep-alive': keepAlive, host, ...forwarded } = headers;
  const body = method === 'GET' || method === 'HEAD' ? null : request;
  pool
    .stream({ method: method as 'GET', path: url, headers: forwarded, body }, (answer) => {
      const { connection, 'keep-alive': keepAlive, 'transfer-encoding': coding, ...fields } = answer.headers;
      return response.writeHead(answer.statusCode, fields);
    })
    .catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
});
server.listen(0, '127.0.0.1', () => serveHarness({ port: (server.address() as AddressInfo).port }));
