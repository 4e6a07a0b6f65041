import { type Call, FlotillaError } from 'flotilla';
import type { Person } from '../contracts/user.ts';
import type { Backends } from './backends.ts';

/** The token of a visitor's session, if the browser sent one. */
export type Session = string | undefined;

/** Who is there. */
export interface Visitors {
  /** Null: nobody is signed in. */
  seen(session: Session, call: Call): Promise<Person | null>;
  /** @throws FlotillaError SIGNED_OUT */
  required(session: Session, call: Call): Promise<Person>;
}

export function visitorsOf({ users }: Backends): Visitors {
  const seen = async (session: Session, call: Call): Promise<Person | null> =>
    session ? (await users.whoIs({ token: session }, call)).person : null;
  return {
    seen,
    async required(session, call) {
      const person = await seen(session, call);
      if (!person) throw new FlotillaError('SIGNED_OUT', 'this is for people who are signed in', { executed: 'no' });
      return person;
    },
  };
}
