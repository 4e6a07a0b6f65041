import { get, post } from './api.js';
import { say } from './dom.js';

/** Who is signed in: `{ name, email }`, or null. */
export const visitor = { person: null };

const listeners = new Set();
export const onVisitor = (listener) => listeners.add(listener);

function become(person) {
  visitor.person = person;
  for (const listener of listeners) listener();
}

/** Asks who is signed in. When nobody can say, the shop is shown to a stranger. */
export async function recognise() {
  try {
    become((await get('/session')).person);
  } catch {
    become(null);
    say('We cannot see right now who you are. The menu is open all the same.');
  }
}

export async function signIn(email, password) {
  become((await post('/session', { email, password })).person);
}

export async function signUp(name, email, password) {
  become((await post('/people', { name, email, password })).person);
}

export async function signOut() {
  await post('/session/end');
  become(null);
}

/** The session is over: somebody else ended it, or time did. */
export function forget() {
  become(null);
}
