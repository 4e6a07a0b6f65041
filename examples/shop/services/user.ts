import { integer, run, service, settings } from 'flotilla';
import { users } from '../contracts/user.ts';
import { databaseSettings } from './database.ts';
import { createPasswords } from './user/password.ts';
import { openUserStore } from './user/store.ts';

/** Backend service: people, their passwords and sessions. */
export const app = service('user', {
  config: settings({
    ...databaseSettings('user'),
    sessionHours: integer({ default: 168, min: 1, max: 8_760, describe: 'how long somebody stays signed in' }),
  }),
});

const store = app.resource('user database', openUserStore, (open) => open.close());
const passwords = app.resource('passwords', () => createPasswords());
const sessionMs = (): number => app.settings().sessionHours * 3_600_000;

app.handle(users, {
  signUp: async ({ name, email, password, from }, call) => {
    const waitMs = store().attempts.beginSignUp(from, call.clock.wallNow());
    if (waitMs > 0) return call.fail('TOO_MANY_ATTEMPTS', { waitMs });
    const secret = await passwords().hash(password, call);
    const now = call.clock.wallNow();
    const person = store().add({ name, email }, secret, now) ?? call.fail('EMAIL_TAKEN');
    return { person, token: store().openSession(person.id, now + sessionMs()) };
  },
  signIn: async ({ email, password, from }, call) => {
    const waitMs = store().attempts.beginSignIn(email, from, call.clock.wallNow());
    if (waitMs > 0) return call.fail('TOO_MANY_ATTEMPTS', { waitMs });
    const known = store().byEmail(email);
    if (!(await passwords().fits(password, known?.secret, call)) || !known) return call.fail('SIGN_IN_REFUSED');
    store().attempts.signedIn(email, from);
    if (passwords().isOutdated(known.secret)) store().setSecret(known.id, await passwords().hash(password, call));
    const { id, name } = known;
    return { person: { id, name, email }, token: store().openSession(id, call.clock.wallNow() + sessionMs()) };
  },
  signOut: async ({ token }) => store().endSession(token),
  whoIs: async ({ token }, call) => ({ person: store().seen(token, call.clock.wallNow()) ?? null }),
  name: async ({ id }) => nameOf(id),
  names: async ({ items }) => ({ items: items.map(({ id }) => ({ value: nameOf(id) })) }),
});

app.repeat('sessions that are over', { everyMs: 600_000 }, (call) => store().sweep(call.clock.wallNow()));

function nameOf(id: string): { name: string | null } {
  return { name: store().name(id) ?? null };
}

if (import.meta.main) await run(app);
