/** An app on nothing but node:http. */
import { createServer } from 'node:http';
import { join } from 'flotilla';

const server = createServer(async (request, response) => {
  const [, id] = /^\/orders\/(\w+)$/.exec(request.url ?? '') ?? [];
  if (request.url === '/health') response.end('well');
  else if (id === undefined) response.writeHead(404).end();
  else {
    const payment = await fleet.fetch(`http://payments/payments/${id}`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id, by: 'node:http', payment: await payment.json() }));
  }
});

const fleet = await join({ name: 'orders', server, health: '/health' });
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
