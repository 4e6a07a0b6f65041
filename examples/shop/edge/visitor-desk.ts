import { relay } from '@flotilla/edge';
import type { App } from 'flotilla';
import { visitor } from '../contracts/visitor.ts';
import type { Backends } from './backends.ts';
import type { Visitors } from './visitors.ts';

/** Serves what people do: the same on every device. */
export function serveVisitors<S>(app: App<S>, { catalog, orders, reviews, users }: Backends, visitors: Visitors): void {
  app.handle(visitor, {
    signUp: async ({ forwardedFor, ...person }, call) => {
      const wanted = { ...person, from: addressOf(forwardedFor) };
      const made = await relay(users.signUp(wanted, call), 'EMAIL_TAKEN', 'TOO_MANY_ATTEMPTS', 'NOT_STORED');
      return { person: made.person, session: made.token };
    },
    signIn: async ({ forwardedFor, ...credentials }, call) => {
      const wanted = { ...credentials, from: addressOf(forwardedFor) };
      const made = await relay(users.signIn(wanted, call), 'SIGN_IN_REFUSED', 'TOO_MANY_ATTEMPTS', 'NOT_STORED');
      return { person: made.person, session: made.token };
    },
    signOut: async ({ session }, call) => {
      if (session) await relay(users.signOut({ token: session }, call), 'NOT_STORED');
      return { session: '' };
    },
    me: async ({ session }, call) => ({ person: await visitors.seen(session, call) }),

    placeOrder: async ({ session, ...order }, call) => {
      const { id: userId } = await visitors.required(session, call);
      const codes = ['PRODUCT_UNKNOWN', 'SOLD_OUT', 'ORDER_GIVEN_UP', 'KEY_REUSED', 'NOT_STORED'] as const;
      return relay(orders.place({ ...order, userId }, call), ...codes);
    },
    order: async ({ id, session }, call) => {
      const { id: userId } = await visitors.required(session, call);
      return relay(orders.find({ id, userId }, call), 'ORDER_UNKNOWN');
    },
    writeReview: async ({ session, ...review }, call) => {
      const { id: userId } = await visitors.required(session, call);
      const { productId } = review;
      await relay(catalog.product({ id: productId }, call), 'PRODUCT_UNKNOWN');
      const { times } = await orders.bought({ userId, productId }, call);
      await relay(reviews.write({ ...review, userId, bought: times > 0 }, call), 'NOT_STORED');
    },
    viewed: ({ productId }, call) => catalog.viewed({ id: productId }, call),
  });
}

/** What the gateway heard is the last element; what stands before it, anybody may have written. */
function addressOf(forwardedFor: string | undefined): string {
  return forwardedFor?.split(',').at(-1)?.trim().slice(0, 100) || 'direct';
}
