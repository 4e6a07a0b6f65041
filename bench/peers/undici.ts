/** `undici` and `node:http` with nothing around them: what most hand-made services are. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { type CallSubject, type Product, productOf } from '../calls/subject.ts';

export const subject: CallSubject = {
  async serve() {
    let handled = 0;
    const server = createServer(async (request, response) => {
      const { id } = JSON.parse(await textOf(request)) as { readonly id: string };
      handled++;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(productOf(id)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port, handled: () => handled };
  },
  async connect([port], concurrency) {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: concurrency });
    return {
      async call(id, quantity) {
        const { statusCode, body } = await pool.request({
          method: 'POST',
          path: '/catalog/product',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ id, quantity }),
        });
        if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
        return (await body.json()) as Product;
      },
    };
  },
};

function textOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => resolve(text)).on('error', reject);
  });
}
