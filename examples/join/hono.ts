/** A Hono app on Node.js. */
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { join } from 'flotilla';
import { Hono } from 'hono';

const app = new Hono();
app.get('/health', (context) => context.text('well'));
app.get('/orders/:id', async (context) => {
  const id = context.req.param('id');
  const payment = await fleet.fetch(`http://payments/payments/${id}`);
  return context.json({ id, by: 'hono', payment: await payment.json() });
});

const server = serve({
  fetch: app.fetch,
  port: Number(process.env['PORT'] ?? 3000),
  hostname: '127.0.0.1',
}) as Server; // of HTTP/1.1, unless it is told otherwise
const fleet = await join({ name: 'orders', server, health: '/health' });
