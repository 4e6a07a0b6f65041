import { command, contract, error, get, post, query } from 'flotilla/contract';
import { z } from 'zod';
import { Id } from './catalog.ts';

export type Person = z.infer<typeof Person>;
export const Person = z.object({ id: z.string(), name: z.string(), email: z.string() });

export const Credentials = z.object({
  email: z.email().max(200).toLowerCase(),
  /** Taken as it is typed; ten characters or more where one is chosen. */
  password: z.string().min(1).max(200),
});

export const NewPerson = Credentials.extend({
  name: z.string().trim().min(1).max(100),
  password: z.string().min(10).max(200),
});

/** The token is told once, here: the service keeps only its hash. */
export const Session = z.object({ token: z.string(), person: Person });

const Name = z.object({ name: z.string().nullable() });

/** The address of the browser, for limiting attempts. */
const From = z.object({ from: z.string().max(100) });

const tooMany = { TOO_MANY_ATTEMPTS: error(429, z.object({ waitMs: z.int() })) };
const notStored = { NOT_STORED: error(507) };

export const signUpRefusals = { EMAIL_TAKEN: error(409), ...tooMany, ...notStored };
/** Nobody has this e-mail address, or the password is another one: which of both is not said. */
export const signInRefusals = { SIGN_IN_REFUSED: error(401), ...tooMany, ...notStored };

/** Secrets travel in bodies, never in a URL that somebody logs. */
export const users = contract(
  { name: 'user', version: 1 },
  {
    signUp: command({
      in: NewPerson.extend(From.shape),
      out: Session,
      errors: signUpRefusals,
      http: post('/people', 201),
    }),
    signIn: command({
      in: Credentials.extend(From.shape),
      out: Session,
      errors: signInRefusals,
      http: post('/sessions', 201),
    }),
    signOut: command({
      in: z.object({ token: z.string().max(100) }),
      errors: notStored,
      idempotent: true,
      http: post('/sessions/ended'),
    }),
    whoIs: query({
      in: z.object({ token: z.string().max(100) }),
      /** Null: it is no session, or none any more. */
      out: z.object({ person: Person.nullable() }),
      http: post('/sessions/seen'),
    }),
    /** What others may see of people; null: there is nobody of this id. */
    name: query({ in: z.object({ id: Id }), out: Name, http: get('/people/{id}/name') }),
    /** The same for many: clients gather into it what they ask side by side. */
    names: query({
      in: z.object({ items: z.array(z.object({ id: Id })).max(100) }),
      out: z.object({ items: z.array(z.object({ value: Name })) }),
    }),
  },
);
