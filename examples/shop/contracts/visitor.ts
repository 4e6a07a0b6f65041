import { command, contract, error, get, post, put, query } from 'flotilla/contract';
import { z } from 'zod';
import { Id } from './catalog.ts';
import { NewOrder, Order, orderRefusals } from './order.ts';
import { NewReview } from './review.ts';
import { Credentials, NewPerson, Person } from './user.ts';

/**
 * The session travels in one of two cookies; which one, `edge/visitors.ts` decides. `__Host-` keeps other hosts of the
 * same domain from setting it (RFC 6265bis §4.1.3).
 */
export const sessionFields = {
  secureSession: z.string().max(100).optional(),
  plainSession: z.string().max(100).optional(),
};
export const sessionCookies = { secureSession: '__Host-session', plainSession: 'session' };

const days30 = 30 * 24 * 3_600;
const setSession = {
  secureSession: { name: '__Host-session', sameSite: 'strict', maxAgeSeconds: days30 },
  plainSession: { name: 'session', sameSite: 'strict', maxAgeSeconds: days30, secure: false },
} as const;
const clearSession = {
  secureSession: { ...setSession.secureSession, maxAgeSeconds: 0 },
  plainSession: { ...setSession.plainSession, maxAgeSeconds: 0 },
} as const;

const SignedIn = z.object({ person: Person, ...sessionFields });

/** The address that the gateway saw, for limiting attempts. */
const from = { forwardedFor: z.string().max(1_000).optional() };
const fromHeader = { forwardedFor: 'x-forwarded-for' };

const signedOut = { SIGNED_OUT: error(401) };
const tooMany = { TOO_MANY_ATTEMPTS: error(429, z.object({ waitMs: z.int() })) };

/** What people do in the shop, on whichever device: each edge service serves it, and the gateway opens it. */
export const visitor = contract(
  { name: 'visitor', version: 1 },
  {
    signUp: command({
      in: NewPerson.extend(from),
      out: SignedIn,
      errors: { EMAIL_TAKEN: error(409), ...tooMany, NOT_STORED: error(507) },
      http: post('/api/people', { status: 201, header: fromHeader, setCookie: setSession }),
    }),
    signIn: command({
      in: Credentials.extend(from),
      out: SignedIn,
      errors: { SIGN_IN_REFUSED: error(401), ...tooMany, NOT_STORED: error(507) },
      http: post('/api/session', { status: 201, header: fromHeader, setCookie: setSession }),
    }),
    signOut: command({
      in: z.object(sessionFields),
      out: z.object(sessionFields),
      errors: { NOT_STORED: error(507) },
      idempotent: true,
      http: post('/api/session/end', { cookie: sessionCookies, setCookie: clearSession }),
    }),
    me: query({
      in: z.object(sessionFields),
      out: z.object({ person: Person.nullable() }),
      http: get('/api/session', { cookie: sessionCookies }),
    }),
    placeOrder: command({
      in: NewOrder.extend(sessionFields),
      out: Order,
      errors: { ...signedOut, ...orderRefusals },
      idempotent: true,
      http: post('/api/orders', { status: 201, location: '/api/orders/{id}', cookie: sessionCookies }),
    }),
    order: query({
      in: z.object({ id: Id, ...sessionFields }),
      out: Order,
      errors: { ...signedOut, ORDER_UNKNOWN: error(404) },
      http: get('/api/orders/{id}', { cookie: sessionCookies }),
    }),
    writeReview: command({
      in: NewReview.extend(sessionFields),
      errors: {
        ...signedOut,
        PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })),
        NOT_STORED: error(507),
      },
      idempotent: true,
      http: put('/api/products/{productId}/review', { cookie: sessionCookies }),
    }),
  },
);
