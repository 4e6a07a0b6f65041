import { channel } from 'node:diagnostics_channel';
import { type Call, type Client, FlotillaError, safe } from 'flotilla';
import type { stock } from '../../contracts/stock.ts';
import type { OrderStore, Purchase, Wanted } from './store.ts';

/**
 * Where an order has got to: `{ step, key }` is published when a step has been made. Nobody need listen; a test does,
 * and ends the process right there.
 */
export const steps = channel('shop.order.step');

export type Step = 'asked' | 'written' | 'reserved' | 'sold' | 'placed';

/** An order that could not be finished by then is given up, and its customer told so. */
export const giveUpMs = 15 * 60_000;

/** A reservation may lapse between reserving and committing; this often it is made anew at once. */
const maxRounds = 3;

/** Places orders. Nothing that it keeps in memory matters: it may die at any moment. */
export interface Desk {
  /** @throws FlotillaError a refusal of the contract; or that the outcome is open, while the order is tried further. */
  place(wanted: Wanted, call: Call): Promise<Purchase>;
  /** Finishes what is unfinished: after a restart, and while the catalog could not be reached. */
  reconcile(call: Call): Promise<void>;
}

/**
 * How an order is placed, so that a crash after any step loses nothing and sells nothing twice:
 * 1. **written**: what is wanted is on our disk, under the key that the page sent. From here on the order has its id.
 * 2. **reserved**: the catalog holds all of its stock, under that id; for a time only.
 * 3. **sold**: the catalog says so for good. This is the moment that decides.
 * 4. **placed**: we have written down what was sold.
 *
 * Each step may be repeated under the same id. So whoever finds an order that is only written (a retry of the page, a
 * restart) goes through all of them again.
 */
export function openDesk(store: OrderStore, shelf: Client<typeof stock>): Desk {
  const inHand = new Set<string>();
  const finish = async (intent: Purchase, call: Call): Promise<Purchase> => {
    inHand.add(intent.id);
    try {
      for (let round = 1; ; round++) {
        const purchase = await attempt(intent, call, { store, shelf });
        if (purchase) return purchase;
        if (round === maxRounds) throw new FlotillaError('UNAVAILABLE', `stock for an order lapsed ${round} times`);
      }
    } finally {
      inHand.delete(intent.id);
    }
  };
  return {
    async place(wanted, call) {
      reached('asked', wanted.key);
      const intent = store.write(wanted, call.clock.wallNow());
      reached('written', intent.key);
      return intent.status === 'pending' ? finish(intent, call) : outcomeOf(intent);
    },
    async reconcile(call) {
      for (const intent of store.unfinished()) {
        call.throwIfCancelled();
        if (inHand.has(intent.id)) continue;
        const tooLate = call.clock.wallNow() - intent.writtenAt > giveUpMs;
        // One that fails must not keep the others from being finished; it is tried again.
        await (tooLate ? giveUp(intent, call, { store, shelf }) : safe(finish(intent, call)));
      }
    },
  };
}

interface Needs {
  readonly store: OrderStore;
  readonly shelf: Client<typeof stock>;
}

/** Once through all steps; undefined when the reservation lapsed on the way. */
async function attempt(
  { id, key, items }: Purchase,
  call: Call,
  { store, shelf }: Needs,
): Promise<Purchase | undefined> {
  const refuse = (error: FlotillaError): Purchase => {
    const code = refusals.get(error.code);
    if (code === undefined) throw error; // not decided: the order stays written
    return outcomeOf(store.refuse(id, { code, data: error.data }));
  };
  const reserved = await safe(shelf.reserve({ orderId: id, items }, call));
  if (!reserved.ok) return refuse(reserved.error);
  reached('reserved', key);
  const sold = await safe(shelf.commit({ orderId: id }, call));
  if (!sold.ok) return sold.error.code === 'RESERVATION_LAPSED' ? undefined : refuse(sold.error);
  reached('sold', key);
  const placed = store.place(id, sold.value.lines);
  reached('placed', key);
  return outcomeOf(placed);
}

/** What of the catalog's answers decides that an order is not placed, and what its customer is told. */
const refusals: ReadonlyMap<string, string> = new Map([
  ['SOLD_OUT', 'SOLD_OUT'],
  ['PRODUCT_UNKNOWN', 'PRODUCT_UNKNOWN'],
  ['RESERVATION_RELEASED', 'ORDER_GIVEN_UP'],
]);

/** The catalog has the last word: what it sold is placed, however late. */
async function giveUp(intent: Purchase, call: Call, { store, shelf }: Needs): Promise<void> {
  const released = await safe(shelf.release({ orderId: intent.id }, call));
  if (!released.ok) return;
  if (!released.value.sold) store.refuse(intent.id, { code: 'ORDER_GIVEN_UP' });
  else await safe(attempt(intent, call, { store, shelf }));
}

function outcomeOf(purchase: Purchase): Purchase {
  const { refusal } = purchase;
  if (!refusal) return purchase;
  throw new FlotillaError(refusal.code, 'nothing was taken for this order', { data: refusal.data, executed: 'yes' });
}

function reached(step: Step, key: string): void {
  steps.publish({ step, key });
}
