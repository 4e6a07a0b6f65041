import { basket } from './basket.js';
import { basketView } from './basket-view.js';
import { money } from './dom.js';
import { category, menu, search } from './menu.js';
import { order, orders } from './orders.js';
import { product } from './product.js';
import { go, start } from './router.js';
import { signInView } from './sign-in.js';
import { onVisitor, recognise, visitor } from './visitor.js';

const byId = (id) => document.getElementById(id);

function showBasket() {
  const { pieces, totalCents } = basket;
  const link = byId('basket-link');
  link.textContent = pieces === 0 ? 'Basket' : `Basket · ${pieces} · ${money(totalCents)}`;
  link.setAttribute(
    'aria-label',
    pieces === 0 ? 'Basket, empty' : `Basket, ${pieces} ${pieces === 1 ? 'dish' : 'dishes'}, ${money(totalCents)}`,
  );
  link.classList.toggle('full', pieces > 0);
}

function showVisitor() {
  byId('orders-link').hidden = !visitor.person;
  byId('account-link').textContent = visitor.person ? visitor.person.name : 'Sign in';
}

basket.onChange(showBasket);
onVisitor(showVisitor);
showBasket();
byId('search').addEventListener('submit', (event) => {
  event.preventDefault();
  void go(`/search?text=${encodeURIComponent(byId('search-text').value.trim())}`);
});

addEventListener('shown', () => {
  if (location.pathname !== '/search') byId('search-text').value = '';
});

await recognise();
await start([
  [/^\/$/, menu],
  [/^\/search$/, search],
  [/^\/categories\/(?<id>[^/]+)$/, category],
  [/^\/products\/(?<id>[^/]+)$/, product],
  [/^\/basket$/, basketView],
  [/^\/sign-in$/, signInView],
  [/^\/orders$/, orders],
  [/^\/orders\/(?<id>[^/]+)$/, order],
]);
