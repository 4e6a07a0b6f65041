/** A Fastify app. `app.close` runs its own onClose hooks, so it is what ends it. */
import fastify from 'fastify';
import { join } from 'flotilla';

const app = fastify();
app.get('/health', () => 'well');
app.get<{ Params: { id: string } }>('/orders/:id', async ({ params: { id } }) => {
  const payment = await fleet.fetch(`http://payments/payments/${id}`);
  return { id, by: 'fastify', payment: await payment.json() };
});

const fleet = await join({ name: 'orders', server: app.server, health: '/health', onStop: () => app.close() });
await app.listen({ port: Number(process.env['PORT'] ?? 3000), host: '127.0.0.1' });
