import { get } from './api.js';
import { cards } from './card.js';
import { el, missingNotice } from './dom.js';

/** The whole menu, by category. */
export async function menu() {
  const { categories, popular, missing } = await get('/home');
  const shown = categories.filter(({ products }) => products.length > 0);
  return {
    title: 'Menu',
    wide: true,
    nodes: [hero(categories, popular), missingNotice(missing), ...shown.map(shelf)],
  };
}

/** With pictures of what people look at most, and of the beginning of the menu until there is enough of that. */
function hero(categories, popular) {
  const dishes = [...popular, ...categories.map(({ products }) => products[0]).filter(Boolean)];
  const shown = [...new Map(dishes.map((dish) => [dish.id, dish])).values()].slice(0, 3);
  return el(
    'section',
    { class: 'hero', 'aria-labelledby': 'heading' },
    el(
      'div',
      { class: 'hero-words' },
      el('h1', { id: 'heading', tabindex: '-1', text: 'What the boats brought, and what goes with it.' }),
      el('p', { text: 'Cooked on the pier since this morning. Order before the pots are empty.' }),
      el(
        'nav',
        { class: 'chips', 'aria-label': 'Parts of the menu' },
        ...categories.map(({ id, name }) => el('a', { href: `/categories/${id}`, text: name })),
      ),
    ),
    el(
      'div',
      { class: 'hero-pictures', 'aria-hidden': 'true' },
      ...shown.map(({ picture }) =>
        el('img', { src: picture.large ?? picture.small, alt: '', width: 400, height: 300 }),
      ),
    ),
  );
}

function shelf({ id, name, products, count }) {
  const more = count > products.length;
  return el(
    'section',
    { class: 'shelf', 'aria-labelledby': `shelf-${id}` },
    el(
      'div',
      { class: 'shelf-head' },
      el('h2', { id: `shelf-${id}`, text: name }),
      more && el('a', { href: `/categories/${id}`, 'aria-label': `All ${count} of ${name}`, text: `All ${count}` }),
    ),
    cards(products),
  );
}

/** One part of the menu. */
export async function category({ id }) {
  const { name, products, count, missing } = await get(`/categories/${encodeURIComponent(id)}`);
  return {
    title: name,
    wide: true,
    nodes: [
      crumbs(),
      el('h1', { tabindex: '-1', text: name }),
      el('p', { class: 'lead', text: `${count} ${count === 1 ? 'dish' : 'dishes'}` }),
      missingNotice(missing),
      cards(products, 'h2'),
    ],
  };
}

/** What was searched for. */
export async function search(_, query) {
  const text = (query.get('text') ?? '').trim();
  document.getElementById('search-text').value = text;
  if (text === '') return menu();
  const { products, missing } = await get(`/search?text=${encodeURIComponent(text)}`);
  const none = el('p', { class: 'lead', text: 'Nothing on the menu is called that. Try “lemon”, “vegan” or “soup”.' });
  return {
    title: `Search: ${text}`,
    wide: true,
    nodes: [
      crumbs(),
      el('h1', { tabindex: '-1', text: `${products.length} found for “${text}”` }),
      missingNotice(missing),
      products.length === 0 ? none : cards(products, 'h2'),
    ],
  };
}

export function crumbs(...more) {
  return el('nav', { class: 'crumbs', 'aria-label': 'Where you are' }, el('a', { href: '/', text: 'Menu' }), ...more);
}
