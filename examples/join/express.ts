/** An Express app. */
import express from 'express';
import { join } from 'flotilla';

const app = express();
app.get('/health', (_request, response) => void response.send('well'));
app.get('/orders/:id', async (request, response) => {
  const { id } = request.params;
  const payment = await fleet.fetch(`http://payments/payments/${id}`);
  response.json({ id, by: 'express', payment: await payment.json() });
});

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
const fleet = await join({ name: 'orders', server, health: '/health' });
