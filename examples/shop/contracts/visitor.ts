import { command, contract, error, get, notify, post, put, query } from 'flotilla/contract';
import { z } from 'zod';
import { Id } from './catalog.ts';
import { NewOrder, Order, orderRefusals } from './order.ts';
import { NewReview } from './review.ts';
import { Credentials, NewPerson, Person, signInRefusals, signUpRefusals } from './user.ts';

/** The token of a session. */
export const session = { session: z.string().max(100).optional() };
/** It travels in a cookie, which `hostCookies` of `edge/shop-edge.ts` makes as safe as the place allows. */
export const sessionCookie = { session: 'session' };

const days30 = 30 * 24 * 3_600;
const setSession = { session: { name: 'session', sameSite: 'strict', maxAgeSeconds: days30 } } as const;
const clearSession = { session: { ...setSession.session, maxAgeSeconds: 0 } } as const;

const SignedIn = z.object({ person: Person, ...session });

/** The address that the gateway saw, for limiting attempts. */
const from = { forwardedFor: z.string().max(1_000).optional() };
const fromHeader = { forwardedFor: 'x-forwarded-for' };

const signedOut = { SIGNED_OUT: error(401) };

/** What people do in the shop, on whichever device: each edge service serves it, and the gateway opens it. */
export const visitor = contract(
  { name: 'visitor', version: 1 },
  {
    signUp: command({
      in: NewPerson.extend(from),
      out: SignedIn,
      errors: signUpRefusals,
      http: post('/api/people', { status: 201, header: fromHeader, setCookie: setSession }),
    }),
    signIn: command({
      in: Credentials.extend(from),
      out: SignedIn,
      errors: signInRefusals,
      http: post('/api/session', { status: 201, header: fromHeader, setCookie: setSession }),
    }),
    signOut: command({
      in: z.object(session),
      out: z.object(session),
      errors: { NOT_STORED: error(507) },
      idempotent: true,
      http: post('/api/session/end', { cookie: sessionCookie, setCookie: clearSession }),
    }),
    me: query({
      in: z.object(session),
      out: z.object({ person: Person.nullable() }),
      http: get('/api/session', { cookie: sessionCookie }),
    }),
    placeOrder: command({
      in: NewOrder.extend(session),
      out: Order,
      errors: { ...signedOut, ...orderRefusals },
      idempotent: true,
      http: post('/api/orders', { status: 201, location: '/api/orders/{id}', cookie: sessionCookie }),
    }),
    order: query({
      in: z.object({ id: Id, ...session }),
      out: Order,
      errors: { ...signedOut, ORDER_UNKNOWN: error(404) },
      http: get('/api/orders/{id}', { cookie: sessionCookie }),
    }),
    writeReview: command({
      in: NewReview.extend(session),
      errors: {
        ...signedOut,
        PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })),
        NOT_STORED: error(507),
      },
      idempotent: true,
      http: put('/api/products/{productId}/review', { cookie: sessionCookie }),
    }),
    /** The page says that it shows a product, and goes on. */
    viewed: notify({ in: z.object({ productId: Id }), http: post('/api/products/{productId}/views') }),
  },
);
