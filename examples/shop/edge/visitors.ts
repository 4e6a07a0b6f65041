import { secureCookies } from '@flotilla/edge';
import { type App, type Call, FlotillaError, safe } from 'flotilla';
import type { Backends, EdgeSettings } from './backends.ts';

/** The session of a request, from its cookies. */
export interface SessionInput {
  readonly secureSession?: string | undefined;
  readonly plainSession?: string | undefined;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** Who is there. */
export interface Visitors {
  /** The session's token; undefined without one. */
  token(input: SessionInput): string | undefined;
  /** The cookie that keeps a token: an output field of the contract. */
  cookie(token: string): SessionInput;
  /** Undefined: nobody is signed in. */
  seen(input: SessionInput, call: Call): Promise<Person | undefined>;
  /** @throws FlotillaError SIGNED_OUT */
  required(input: SessionInput, call: Call): Promise<Person>;
}

/**
 * Where the shop is public the cookie is `Secure`, and one without is not even looked at. On loopback, where development
 * happens over plain HTTP, not every browser keeps a `Secure` one. Configuration decides, never a request.
 */
export function visitorsOf(app: App<EdgeSettings>, { users }: Backends): Visitors {
  const secure = (): boolean => secureCookies(app.settings());
  const token = ({ secureSession, plainSession }: SessionInput): string | undefined =>
    secure() ? secureSession : plainSession;
  const seen = async (input: SessionInput, call: Call): Promise<Person | undefined> => {
    const kept = token(input);
    if (!kept) return undefined;
    const found = await safe(users.whoIs({ token: kept }, call));
    if (found.ok) return found.value;
    if (found.error.code === 'SIGNED_OUT') return undefined;
    throw found.error;
  };
  return {
    token,
    cookie: (kept) => (secure() ? { secureSession: kept } : { plainSession: kept }),
    seen,
    async required(input, call) {
      const person = await seen(input, call);
      if (!person) throw new FlotillaError('SIGNED_OUT', 'this is for people who are signed in', { executed: 'no' });
      return person;
    },
  };
}
