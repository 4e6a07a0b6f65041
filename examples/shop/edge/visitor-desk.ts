import { relay } from '@flotilla/edge';
import type { App } from 'flotilla';
import { visitor } from '../contracts/visitor.ts';
import type { Backends, EdgeSettings } from './backends.ts';
import type { Visitors } from './visitors.ts';

/** Serves what people do: the same on every device. */
export function serveVisitors(app: App<EdgeSettings>, backends: Backends, visitors: Visitors): void {
  const { catalog, orders, reviews, users } = backends;
  app.handle(visitor, {
    signUp: async ({ forwardedFor, ...person }, call) => {
      const wanted = { ...person, from: addressOf(forwardedFor) };
      const made = await relay(users.signUp(wanted, call), 'EMAIL_TAKEN', 'TOO_MANY_ATTEMPTS', 'NOT_STORED');
      return { person: made.person, ...visitors.cookie(made.token) };
    },
    signIn: async ({ forwardedFor, ...credentials }, call) => {
      const wanted = { ...credentials, from: addressOf(forwardedFor) };
      const made = await relay(users.signIn(wanted, call), 'SIGN_IN_REFUSED', 'TOO_MANY_ATTEMPTS', 'NOT_STORED');
      return { person: made.person, ...visitors.cookie(made.token) };
    },
    signOut: async (cookies, call) => {
      const token = visitors.token(cookies);
      if (token) await relay(users.signOut({ token }, call), 'NOT_STORED');
      return visitors.cookie('');
    },
    me: async (cookies, call) => ({ person: (await visitors.seen(cookies, call)) ?? null }),

    placeOrder: async ({ secureSession, plainSession, ...order }, call) => {
      const { id: userId } = await visitors.required({ secureSession, plainSession }, call);
      const codes = ['PRODUCT_UNKNOWN', 'SOLD_OUT', 'ORDER_GIVEN_UP', 'KEY_REUSED', 'NOT_STORED'] as const;
      return relay(orders.place({ ...order, userId }, call), ...codes);
    },
    order: async ({ id, ...cookies }, call) => {
      const { id: userId } = await visitors.required(cookies, call);
      return relay(orders.find({ id, userId }, call), 'ORDER_UNKNOWN');
    },
    writeReview: async ({ secureSession, plainSession, ...review }, call) => {
      const { id: userId } = await visitors.required({ secureSession, plainSession }, call);
      const { productId } = review;
      await relay(catalog.product({ id: productId }, call), 'PRODUCT_UNKNOWN');
      const { times } = await orders.bought({ userId, productId }, call);
      await relay(reviews.write({ ...review, userId, bought: times > 0 }, call), 'NOT_STORED');
    },
  });
}

/** What the gateway heard is the last element; what stands before it, anybody may have written. */
function addressOf(forwardedFor: string | undefined): string {
  return forwardedFor?.split(',').at(-1)?.trim().slice(0, 100) || 'direct';
}
