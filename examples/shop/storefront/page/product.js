import { get, getWhole, mention, small } from './api.js';
import { basket } from './basket.js';
import { cards, tagList } from './card.js';
import { el, missingNotice, money, picture, say, stars } from './dom.js';
import { crumbs } from './menu.js';
import { quantity } from './quantity.js';
import { reviewSection } from './reviews.js';
import { show } from './router.js';

/** One dish: on a small screen its beginning, and the rest when somebody asks for it. */
export async function product({ id }) {
  const path = `/products/${encodeURIComponent(id)}`;
  const dish = await get(path);
  mention(`${path}/views`);
  const more = () => show(async () => view(await getWhole(path)), { focus: false });
  return view(
    dish,
    small && el('button', { class: 'plain', type: 'button', onclick: more, text: 'Tell me everything' }),
  );
}

function view(dish, more) {
  const related = dish.related.filter(({ priceCents }) => priceCents !== undefined);
  return {
    title: dish.name,
    wide: true,
    nodes: [
      crumbs(el('a', { href: `/categories/${dish.category.id}`, text: dish.category.name })),
      missingNotice(dish.missing),
      el(
        'article',
        { class: 'dish' },
        el(
          'div',
          { class: 'dish-picture' },
          picture(dish.picture, { alt: `Picture: ${dish.name}`, large: true, soon: true }),
        ),
        el(
          'div',
          { class: 'dish-words' },
          el('h1', { tabindex: '-1', text: dish.name }),
          el('p', { class: 'card-facts' }, stars(dish.rating), tagList(dish.tags)),
          el('p', { class: 'dish-text', text: dish.description }),
          more,
          dish.boughtBefore > 0 && el('p', { class: 'had', text: hadBefore(dish.boughtBefore) }),
          el('p', { class: 'price large', text: money(dish.priceCents) }),
          dish.available ? order(dish) : soldOut(dish),
        ),
      ),
      reviewSection(dish),
      dish.related.length > 0 &&
        el(
          'section',
          { class: 'shelf', 'aria-labelledby': 'related' },
          el('div', { class: 'shelf-head' }, el('h2', { id: 'related', text: `More from ${dish.category.name}` })),
          related.length > 0 ? cards(related.slice(0, 3)) : smallLinks(dish.related),
        ),
    ],
  };
}

function order(dish) {
  let wanted = 1;
  const most = Math.min(99, dish.left);
  const add = () => {
    basket.add(dish, wanted);
    say(`${dish.name} is in your basket: ${basket.quantityOf(dish.id)}.`);
  };
  return el(
    'div',
    { class: 'order-row' },
    quantity(dish.name, 1, { most, change: (now) => (wanted = now) }),
    el('button', { class: 'main-action', type: 'button', onclick: add, text: 'Add to basket' }),
    dish.left <= 5 &&
      el('p', { class: 'few', text: dish.left === 1 ? 'This is the last one.' : `Only ${dish.left} left.` }),
  );
}

function soldOut({ category }) {
  return el(
    'p',
    { class: 'notice' },
    'Sold out for today, sorry. ',
    el('a', { href: `/categories/${category.id}`, text: `What else there is: ${category.name}` }),
  );
}

/** A small screen is told no prices of them. */
function smallLinks(dishes) {
  return el(
    'ul',
    { class: 'links' },
    ...dishes.map(({ id, name, picture: of }) =>
      el('li', {}, el('a', { href: `/products/${id}` }, picture(of), el('span', { text: name }))),
    ),
  );
}

function hadBefore(times) {
  if (times === 1) return 'You have had this once.';
  return times === 2 ? 'You have had this twice.' : `You have had this ${times} times.`;
}
