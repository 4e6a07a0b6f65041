import { get } from './api.js';
import { basket } from './basket.js';
import { el, missingNotice, moment, money, picture, say } from './dom.js';

/** A person's orders. */
export async function orders() {
  const { orders: made, missing } = await get('/orders');
  const none = el('p', { class: 'lead', text: 'You have not ordered anything yet.' });
  return {
    title: 'Your orders',
    nodes: [
      el('h1', { tabindex: '-1', text: 'Your orders' }),
      missingNotice(missing),
      made.length === 0 ? none : el('ul', { class: 'orders' }, ...made.map(summary)),
    ],
  };
}

function summary(order) {
  return el(
    'li',
    { class: 'panel' },
    el(
      'div',
      { class: 'order-head' },
      el('h2', {}, el('a', { href: `/orders/${order.id}` }, moment(order.orderedAt))),
      el('span', { class: `state ${order.status}`, text: states[order.status] }),
    ),
    order.lines.length === 0
      ? el('p', { class: 'quiet', text: explanation(order) })
      : el('ul', { class: 'order-lines' }, ...order.lines.map(lineOf)),
    order.lines.length > 0 &&
      el('p', { class: 'total' }, el('span', { text: 'Total' }), el('strong', { text: money(order.totalCents) })),
  );
}

const states = { placed: 'Placed', pending: 'Being confirmed', refused: 'Not placed' };

function explanation({ status, pieces }) {
  const what = `${pieces} ${pieces === 1 ? 'dish' : 'dishes'}.`;
  return status === 'pending'
    ? `${what} We are still confirming it.`
    : `${what} Something was sold out; nothing was taken.`;
}

/** A small screen is told less of a line: no price, no picture. */
function lineOf(line) {
  const again = () => {
    basket.add({ id: line.productId, name: line.name, priceCents: line.priceCents, picture: line.picture });
    say(`${line.name} is in your basket.`);
  };
  return el(
    'li',
    {},
    line.picture && picture(line.picture),
    el('a', { class: 'line-name', href: `/products/${line.productId}`, text: `${line.quantity} × ${line.name}` }),
    line.reviewed === false &&
      el('a', {
        class: 'quiet',
        href: `/products/${line.productId}#reviews`,
        'aria-label': `Review ${line.name}`,
        text: 'Review',
      }),
    line.available &&
      el('button', {
        class: 'plain',
        type: 'button',
        'aria-label': `Order ${line.name} again`,
        onclick: again,
        text: 'Again',
      }),
    line.priceCents !== undefined && el('span', { class: 'price', text: money(line.priceCents * line.quantity) }),
  );
}

/** One order; right after ordering, with thanks. */
export async function order({ id }, query) {
  const made = await get(`/orders/${encodeURIComponent(id)}`);
  const fresh = query.has('new') && made.status === 'placed';
  return {
    title: fresh ? 'Thank you' : 'Your order',
    nodes: [
      el('h1', { tabindex: '-1', text: fresh ? 'Thank you, your order is placed' : 'Your order' }),
      el('p', { class: 'lead' }, moment(made.orderedAt), ` for ${made.customer}, ${made.address}`),
      el(
        'section',
        { class: 'panel receipt', 'aria-label': 'What you ordered' },
        made.lines.length === 0
          ? el('p', {
              text: explanation({ ...made, pieces: made.items.reduce((sum, { quantity }) => sum + quantity, 0) }),
            })
          : el(
              'ul',
              { class: 'order-lines' },
              ...made.lines.map(({ name, productId, quantity, priceCents }) =>
                el(
                  'li',
                  {},
                  el('a', { class: 'line-name', href: `/products/${productId}`, text: `${quantity} × ${name}` }),
                  el('span', { class: 'price', text: money(priceCents * quantity) }),
                ),
              ),
            ),
        made.lines.length > 0 &&
          el('p', { class: 'total' }, el('span', { text: 'Total' }), el('strong', { text: money(made.totalCents) })),
        el('p', { class: 'quiet', text: `Number ${made.id}` }),
      ),
      el('p', {}, el('a', { href: '/orders', text: 'All your orders' })),
    ],
  };
}
