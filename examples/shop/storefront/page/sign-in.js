import { el, say } from './dom.js';
import { busy, fail, field } from './form.js';
import { go, reload } from './router.js';
import { signIn, signOut, signUp, visitor } from './visitor.js';

/** Signing in and making an account, side by side; or signing out. */
export async function signInView(_, query) {
  if (visitor.person) return account();
  const then = placeOf(query.get('then'));
  return {
    title: 'Sign in',
    nodes: [
      el('h1', { tabindex: '-1', text: 'Good to see you' }),
      el('div', { class: 'two' }, signInForm(then), signUpForm(then)),
    ],
  };
}

/** Only a place of this shop: a link from elsewhere must not lead elsewhere after signing in. */
function placeOf(then) {
  return then && /^\/[a-z]/.test(then) ? then : '/';
}

function signInForm(then) {
  const send = (data) => signIn(data.get('email'), data.get('password'));
  return personForm('I have an account', 'Sign in', then, send, [
    field('E-mail', 'email', { type: 'email', required: true, autocomplete: 'username', maxlength: 200 }),
    field('Password', 'password', {
      type: 'password',
      required: true,
      autocomplete: 'current-password',
      maxlength: 200,
    }),
  ]);
}

function signUpForm(then) {
  const send = (data) => signUp(data.get('name').trim(), data.get('email'), data.get('password'));
  return personForm('I am new here', 'Make an account', then, send, [
    field('Name', 'name', { required: true, autocomplete: 'name', maxlength: 100 }),
    field('E-mail', 'email', { type: 'email', required: true, autocomplete: 'email', maxlength: 200 }),
    field('Password', 'password', {
      type: 'password',
      required: true,
      minlength: 10,
      maxlength: 200,
      autocomplete: 'new-password',
      hint: 'Ten characters or more. A sentence is a good one.',
    }),
  ]);
}

function personForm(title, action, then, send, fields) {
  const onsubmit = (event) => {
    event.preventDefault();
    const form = event.target;
    return busy(form, async () => {
      try {
        await send(new FormData(form));
        say(`Welcome, ${visitor.person.name}.`);
        await go(then);
      } catch (error) {
        fail(form, error);
      }
    });
  };
  return el(
    'form',
    { class: 'panel', onsubmit, 'aria-label': title },
    el('h2', { text: title }),
    ...fields,
    el('button', { class: 'main-action', type: 'submit', text: action }),
    el('p', { class: 'problem', role: 'alert' }),
  );
}

function account() {
  const { name, email } = visitor.person;
  const leave = (event) => {
    event.preventDefault();
    return busy(event.target, async () => {
      try {
        await signOut();
        say('You are signed out.');
        await reload({ focus: true });
      } catch (error) {
        fail(event.target, error);
      }
    });
  };
  return {
    title: 'Your account',
    nodes: [
      el('h1', { tabindex: '-1', text: name }),
      el('p', { class: 'lead', text: email }),
      el('p', {}, el('a', { href: '/orders', text: 'Your orders' })),
      el(
        'form',
        { onsubmit: leave },
        el('button', { class: 'second-action', type: 'submit', text: 'Sign out' }),
        el('p', { class: 'problem', role: 'alert' }),
      ),
    ],
  };
}
