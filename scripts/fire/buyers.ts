import { setTimeout as pause } from 'node:timers/promises';
import { Books } from './books.ts';
import { type Bought, buyOne, newCustomer } from './buyer.ts';
import { HttpClient } from './client.ts';
import { type Fleet, host } from './fleet.ts';

const buyers = 20;
const pieces = 10;

/** Rounds go through these, so that what is left over from one is seen before the next of the same product. */
const products = ['fish-soup', 'ginger-tea', 'plum-crumble', 'lentil-bowl', 'poppy-cake', 'leek-soup'];

/** In this order, again and again. */
const victims = ['order.1', 'catalog.1', 'order.2', 'catalog.2'];
const killEveryMs = 2_000;

/** Longer than the shop holds back what nobody came for. */
const settleLimitMs = 90_000;

interface Sale {
  readonly productId: string;
  readonly bought: Bought;
}

export interface BuyersResult {
  readonly rounds: number;
  readonly kills: number;
  readonly delivered: number;
  readonly acknowledged: number;
  readonly soldOut: number;
  /** Buyers that never learned what became of their order. */
  readonly unknown: number;
  readonly left: number;
  readonly sold: number;
  /** Why the books do not balance; empty: they do. */
  readonly mistakes: readonly string[];
}

/**
 * Twenty buyers at a time want one of the last ten pieces of a product, round after round, while copies of the services
 * that keep orders and stock are killed. Afterwards the books are read: whatever was acknowledged exists, nothing was
 * sold twice, and what was delivered is left or sold.
 */
export async function runBuyers(fleet: Fleet, durationMs: number): Promise<BuyersResult> {
  const client = new HttpClient({ host, port: fleet.gatewayPort, maxConnections: buyers });
  const customer = await newCustomer(client);
  const books = new Books(fleet.dataFolder);
  const delivered = new Map(products.map((id) => [id, 0]));
  for (const id of products) books.deliver(id, -books.left(id));
  books.begin(); // orders from before are not ours
  const results: Sale[] = [];
  const until = performance.now() + durationMs;
  const killing = killUntil(fleet, until);
  let rounds = 0;
  while (performance.now() < until) {
    const productId = products[rounds % products.length] as string;
    books.deliver(productId, pieces);
    delivered.set(productId, (delivered.get(productId) ?? 0) + pieces);
    const round = await Promise.all(Array.from({ length: buyers }, () => buyOne(client, customer, productId)));
    results.push(...round.map((bought) => ({ productId, bought })));
    rounds++;
  }
  const kills = await killing;
  const mistakes = await settle(books, delivered, results, customer.mayRepeat);
  mistakes.push(...(await missingOrders(client, customer.headers, results)));
  const of = (kind: Bought['kind']): number => results.filter(({ bought }) => bought.kind === kind).length;
  const all = [...delivered.keys()].map((id) => books.of(id));
  client.close();
  books.close();
  return {
    rounds,
    kills,
    delivered: rounds * pieces,
    acknowledged: of('bought'),
    soldOut: of('sold out'),
    unknown: of('unknown'),
    left: all.reduce((sum, { left }) => sum + left, 0),
    sold: all.reduce((sum, { sold }) => sum + sold, 0),
    mistakes,
  };
}

async function killUntil(fleet: Fleet, until: number): Promise<number> {
  let kills = 0;
  while (performance.now() + killEveryMs < until) {
    await pause(killEveryMs);
    const unit = fleet.unit(victims[kills % victims.length] as string);
    await unit.kill();
    kills++;
    await unit.start();
  }
  return kills;
}

/** Waits until nothing is held back any more, then compares. */
async function settle(
  books: Books,
  delivered: ReadonlyMap<string, number>,
  results: readonly Sale[],
  reserves: boolean,
): Promise<string[]> {
  const until = performance.now() + (reserves ? settleLimitMs : 0);
  while (performance.now() < until && (books.undecided() > 0 || unbalanced(books, delivered).length > 0))
    await pause(500);
  const off = unbalanced(books, delivered);
  const mistakes = off.filter(({ missing }) => reserves || missing < 0).map(({ text }) => text);
  if (!reserves && off.length > 0) console.warn(`stock that was taken for no order: ${off.map(({ text }) => text)}`);
  const orders = books.orders();
  const acknowledged = results.flatMap(({ bought }) => (bought.kind === 'bought' ? [bought.orderId] : []));
  if (new Set(acknowledged).size < acknowledged.length) mistakes.push('one order was given to two buyers');
  for (const { productId, bought } of results) {
    if (bought.kind === 'wrong') mistakes.push(`a buyer was told ${bought.reply.outcome}: ${bought.reply.body}`);
    if (bought.kind !== 'bought') continue;
    const lines = orders.get(bought.orderId);
    if (!lines) mistakes.push(`order ${bought.orderId} was acknowledged and does not exist`);
    else if (lines.length !== 1 || lines[0]?.productId !== productId || lines[0].quantity !== 1)
      mistakes.push(`order ${bought.orderId} is not what was ordered: ${JSON.stringify(lines)}`);
  }
  return mistakes;
}

function unbalanced(
  books: Books,
  delivered: ReadonlyMap<string, number>,
): { readonly missing: number; readonly text: string }[] {
  return [...delivered].flatMap(([id, pieces]) => {
    const { left, sold } = books.of(id);
    const missing = pieces - left - sold;
    return missing === 0 ? [] : [{ missing, text: `${id}: ${pieces} delivered, ${left} left, ${sold} sold` }];
  });
}

/** Whoever has an acknowledged order can see it. */
async function missingOrders(
  client: HttpClient,
  headers: Readonly<Record<string, string>>,
  results: readonly Sale[],
): Promise<string[]> {
  const mistakes: string[] = [];
  for (const { bought } of results) {
    if (bought.kind !== 'bought') continue;
    const reply = await client.send({ path: `/api/orders/${bought.orderId}`, headers, timeoutMs: 10_000 });
    if (reply.outcome !== 'ok') mistakes.push(`order ${bought.orderId} cannot be seen: ${reply.outcome}`);
  }
  return mistakes;
}
