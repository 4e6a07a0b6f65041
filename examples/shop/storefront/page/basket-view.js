import { Problem, post } from './api.js';
import { basket } from './basket.js';
import { el, money, picture } from './dom.js';
import { busy, fail, field } from './form.js';
import { quantity } from './quantity.js';
import { go, reload } from './router.js';
import { forget, visitor } from './visitor.js';

/** What is in the basket, and the way to order it. */
export async function basketView() {
  if (basket.lines.length === 0) return empty();
  const total = el('strong', { id: 'total', text: money(basket.totalCents) });
  const update = () => {
    total.textContent = money(basket.totalCents);
  };
  return {
    title: 'Basket',
    nodes: [
      el('h1', { tabindex: '-1', text: 'Your basket' }),
      el(
        'div',
        { class: 'two' },
        el(
          'section',
          { class: 'panel', 'aria-label': 'Dishes in your basket' },
          el('ul', { class: 'basket-lines' }, ...basket.lines.map((line) => row(line, update))),
          el('p', { class: 'total' }, el('span', { text: 'Total' }), total),
        ),
        visitor.person ? orderForm() : signInFirst(),
      ),
    ],
  };
}

function empty() {
  return {
    title: 'Basket',
    nodes: [
      el('h1', { tabindex: '-1', text: 'Your basket is empty' }),
      el('p', { class: 'lead', text: 'Nothing in it yet. That can be changed.' }),
      el('p', {}, el('a', { class: 'main-action', href: '/', text: 'To the menu' })),
    ],
  };
}

function row(line, update) {
  const change = (now) => {
    basket.set(line, now);
    sum.textContent = money(line.priceCents * now);
    update();
  };
  const remove = () => {
    basket.set(line, 0);
    return reload({ focus: true });
  };
  const sum = el('span', { class: 'price', text: money(line.priceCents * line.quantity) });
  return el(
    'li',
    {},
    picture(line.picture),
    el('a', { class: 'line-name', href: `/products/${line.id}`, text: line.name }),
    quantity(line.name, line.quantity, { change }),
    sum,
    el('button', {
      class: 'plain',
      type: 'button',
      'aria-label': `Remove ${line.name}`,
      onclick: remove,
      text: 'Remove',
    }),
  );
}

function signInFirst() {
  return el(
    'section',
    { class: 'panel', 'aria-labelledby': 'who' },
    el('h2', { id: 'who', text: 'Who is it for?' }),
    el('p', { text: 'Sign in, or make an account: it takes a moment. Your basket stays as it is.' }),
    el('p', {}, el('a', { class: 'main-action', href: '/sign-in?then=/basket', text: 'Sign in to order' })),
  );
}

function orderForm() {
  const send = (event) => {
    event.preventDefault();
    const form = event.target;
    const data = new FormData(form);
    basket.address = data.get('address');
    return busy(form, async () => {
      try {
        const placed = await post('/orders', basket.order(data.get('customer').trim(), data.get('address').trim()));
        basket.clear();
        await go(`/orders/${placed.id}?new`);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        await explain(form, error);
      }
    });
  };
  return el(
    'form',
    { class: 'panel', onsubmit: send, 'aria-labelledby': 'where' },
    el('h2', { id: 'where', text: 'Where shall it go?' }),
    field('Name', 'customer', { required: true, maxlength: 100, autocomplete: 'name', value: visitor.person.name }),
    field('Address', 'address', {
      required: true,
      maxlength: 300,
      autocomplete: 'street-address',
      value: basket.address,
    }),
    el('button', { class: 'main-action', type: 'submit', text: 'Order now' }),
    el('p', { class: 'problem', role: 'alert' }),
  );
}

async function explain(form, error) {
  if (error.code === 'SIGNED_OUT') {
    forget();
    return go('/sign-in?then=/basket');
  }
  if (error.code === 'SOLD_OUT') return explainSoldOut(form, error);
  // Whatever was decided under this key stays decided: the next try is another order.
  if (!error.open) basket.forgetKey();
  fail(
    form,
    error,
    error.open ? ' Press “Order now” again: it will not be ordered twice. “Orders” shows whether it came through.' : '',
  );
}

function explainSoldOut(form, { data }) {
  basket.forgetKey();
  const line = basket.lines.find(({ id }) => id === data?.id);
  if (!line) return fail(form, { message: 'Something in your basket is sold out.' });
  const left = data.left;
  const set = () => {
    basket.set(line, left);
    return reload({ focus: true });
  };
  const words =
    left > 0
      ? `Somebody was quicker: only ${left} of ${line.name} left.`
      : `Somebody was quicker: ${line.name} is sold out.`;
  const offer = left > 0 ? `Take ${left === 1 ? 'the last one' : `the last ${left}`}` : 'Order the rest without it';
  fail(
    form,
    { message: `${words} Nothing was ordered yet. ` },
    el('button', { class: 'plain', type: 'button', onclick: set, text: offer }),
  );
  form.querySelector('.problem button').focus();
}
