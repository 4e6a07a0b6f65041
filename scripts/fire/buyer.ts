import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { HttpClient, Reply, Request } from './client.ts';

/** How buying ended for one buyer. `unknown`: nobody could say whether it was bought, and asking again was no use. */
export type Bought =
  | { readonly kind: 'bought'; readonly orderId: string }
  | { readonly kind: 'sold out' | 'unknown' }
  | { readonly kind: 'wrong'; readonly reply: Reply };

/** Whoever may order: with a session where the shop has people, without one where it has not. */
export interface Customer {
  readonly headers: Readonly<Record<string, string>>;
  /** An order may be sent again under its key: it is never placed twice. */
  readonly mayRepeat: boolean;
}

const json = { 'content-type': 'application/json' };
const timeoutMs = 10_000;

/** A buyer gives up after so many tries. */
const mostTries = 30;

export const ordersPath = '/api/orders';

/** An order of one piece, under a key of its own. */
export function orderOf({ headers }: Customer, productId: string): Pick<Request, 'method' | 'headers' | 'body'> {
  const key = randomUUID();
  return {
    method: 'POST',
    headers: { ...json, ...headers, 'idempotency-key': key },
    body: JSON.stringify({ key, customer: 'Ada', address: 'Pier 1', items: [{ productId, quantity: 1 }] }),
  };
}

/** Signs up, if the shop has people. */
export async function newCustomer(client: HttpClient): Promise<Customer> {
  const person = { name: 'Ada', email: `ada-${randomUUID()}@example.org`, password: `${randomUUID()}-Aa1` };
  const reply = await client.send({
    method: 'POST',
    path: '/api/people',
    headers: json,
    body: JSON.stringify(person),
    timeoutMs,
  });
  if (reply.status === 404 || reply.status === 405) return { headers: {}, mayRepeat: false };
  const [cookie = ''] = (reply.headers.get('set-cookie') ?? '').split(';');
  if (reply.status !== 201 || cookie === '') throw new Error(`nobody can sign up: ${reply.outcome} ${reply.body}`);
  return { headers: { cookie }, mayRepeat: true };
}

/** Orders one piece, and asks again under the same key while the outcome is unknown, as far as that is allowed. */
export async function buyOne(client: HttpClient, customer: Customer, productId: string): Promise<Bought> {
  const order = orderOf(customer, productId);
  for (let tries = 1; tries <= mostTries; tries++) {
    const reply = await client.send({ ...order, path: ordersPath, timeoutMs });
    if (reply.status === 201) {
      const { id, status = 'placed' } = JSON.parse(reply.body) as { readonly id: string; readonly status?: string };
      if (status === 'placed') return { kind: 'bought', orderId: id };
    } else if (reply.status === 409) {
      return reply.body.includes('SOLD_OUT') ? { kind: 'sold out' } : { kind: 'wrong', reply };
    } else if (reply.status >= 400 && reply.status < 500 && reply.status !== 429) return { kind: 'wrong', reply };
    if (!customer.mayRepeat && !certainlyNotDone(reply)) return { kind: 'unknown' };
    await pause(20 * tries);
  }
  return { kind: 'unknown' };
}

function certainlyNotDone({ outcome, body }: Reply): boolean {
  return outcome === 'refused' || /"executed":"no"/.test(body);
}
