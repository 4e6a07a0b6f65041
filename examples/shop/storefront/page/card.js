import { basket } from './basket.js';
import { el, money, picture, say, stars } from './dom.js';

/** A dish on the menu, under a heading of this level. */
function card(dish, heading) {
  return el(
    'li',
    { class: dish.available ? 'card' : 'card gone' },
    el(
      'a',
      { class: 'card-picture', href: `/products/${dish.id}`, tabindex: '-1', 'aria-hidden': 'true' },
      picture(dish.picture, { large: true }),
    ),
    el(
      'div',
      { class: 'card-body' },
      el(heading, { class: 'card-name' }, el('a', { href: `/products/${dish.id}`, text: dish.name })),
      el('p', { class: 'card-facts' }, stars(dish.rating), tagList(dish.tags)),
      el(
        'div',
        { class: 'card-foot' },
        el('span', { class: 'price', text: money(dish.priceCents) }),
        dish.available ? addButton(dish) : el('span', { class: 'sold-out', text: 'Sold out' }),
      ),
    ),
  );
}

/** @param heading `h2` right under the heading of a page, `h3` within one of its sections */
export function cards(dishes, heading = 'h3') {
  return el('ul', { class: 'cards' }, ...dishes.map((dish) => card(dish, heading)));
}

export function tagList(tags) {
  if (!tags?.length) return undefined;
  return el('span', { class: 'tags' }, ...tags.map((tag) => el('span', { class: 'tag', text: tag })));
}

function addButton(dish) {
  const onclick = () => {
    basket.add(dish);
    say(`${dish.name} is in your basket: ${basket.quantityOf(dish.id)}.`);
  };
  return el('button', {
    class: 'add',
    type: 'button',
    'aria-label': `Add ${dish.name} to the basket`,
    onclick,
    text: 'Add',
  });
}
