import { type Call, FlotillaError, safe } from 'flotilla';
import type { Person } from '../contracts/user.ts';
import type { Backends } from './backends.ts';

/** The token of a visitor's session, if the browser sent one. */
export type Session = string | undefined;

/** Who is there. */
export interface Visitors {
  /** Undefined: nobody is signed in. */
  seen(session: Session, call: Call): Promise<Person | undefined>;
  /** @throws FlotillaError SIGNED_OUT */
  required(session: Session, call: Call): Promise<Person>;
}

export function visitorsOf({ users }: Backends): Visitors {
  const seen = async (session: Session, call: Call): Promise<Person | undefined> => {
    if (!session) return undefined;
    const found = await safe(users.whoIs({ token: session }, call));
    if (found.ok) return found.value;
    if (found.error.code === 'SIGNED_OUT') return undefined;
    throw found.error;
  };
  return {
    seen,
    async required(session, call) {
      const person = await seen(session, call);
      if (!person) throw new FlotillaError('SIGNED_OUT', 'this is for people who are signed in', { executed: 'no' });
      return person;
    },
  };
}
