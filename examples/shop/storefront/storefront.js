// The storefront's page. Everything that comes from the services is set as text, never as markup.
const basket = new Map(JSON.parse(sessionStorage.getItem('basket') ?? '[]'));
const names = new Map();
const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' });
const byId = (id) => document.getElementById(id);

function element(tag, { text, ...properties } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) node.textContent = text;
  node.append(...children);
  return node;
}

async function ask(path, options) {
  const response = await fetch(path, options);
  const document = await response.json();
  if (!response.ok) throw Object.assign(new Error(document.title), { problem: document });
  return document;
}

function sayProblem(problem) {
  if (problem?.code === 'SOLD_OUT') {
    const name = names.get(problem.data?.id)?.name ?? 'One of them';
    return `${name} is sold out: ${problem.data?.left} left.`;
  }
  return 'That did not work. Please try again in a moment.';
}

function card(product) {
  names.set(product.id, product);
  const add = element('button', {
    type: 'button',
    text: product.available ? 'Add' : 'Sold out',
    disabled: !product.available,
  });
  add.setAttribute('aria-label', `${add.textContent}: ${product.name}`);
  add.addEventListener('click', () => {
    basket.set(product.id, Math.min(99, (basket.get(product.id) ?? 0) + 1));
    showBasket();
  });
  return element(
    'li',
    { className: 'card' },
    element('span', { className: 'name', text: product.name }),
    element('div', { className: 'row' }, element('span', { text: money.format(product.priceCents / 100) }), add),
  );
}

async function showMenu() {
  const home = await ask('/api/home');
  byId('menu').replaceChildren(
    ...home.categories.map((category) =>
      element(
        'div',
        { className: 'category' },
        element('h2', { text: category.name }),
        element('ul', { className: 'cards' }, ...category.products.map(card)),
      ),
    ),
  );
  byId('notice').textContent = home.missing.length > 0 ? 'Some dishes cannot be shown right now.' : '';
  showBasket();
}

function showBasket() {
  sessionStorage.setItem('basket', JSON.stringify([...basket]));
  const lines = [...basket].filter(([id]) => names.has(id)).map(([id, quantity]) => ({ ...names.get(id), quantity }));
  byId('basket-lines').replaceChildren(...lines.map(line));
  byId('basket-empty').hidden = lines.length > 0;
  byId('order-form').hidden = lines.length === 0;
  byId('basket-count').textContent = String(lines.reduce((sum, { quantity }) => sum + quantity, 0));
  byId('basket-total').textContent = money.format(
    lines.reduce((sum, { priceCents, quantity }) => sum + priceCents * quantity, 0) / 100,
  );
}

function line({ name, priceCents, quantity }) {
  return element(
    'li',
    {},
    element('span', { text: `${quantity} × ${name}` }),
    element('span', { text: money.format((priceCents * quantity) / 100) }),
  );
}

async function placeOrder(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const items = [...basket].map(([productId, quantity]) => ({ productId, quantity }));
  try {
    const order = await ask('/api/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ customer: form.get('customer'), address: form.get('address'), items }),
    });
    basket.clear();
    history.pushState({}, '', `/orders/${order.id}`);
    showReceipt(order);
    await showMenu();
  } catch (error) {
    byId('notice').textContent = sayProblem(error.problem);
  }
}

function showReceipt(order) {
  const receipt = byId('receipt');
  receipt.replaceChildren(
    element('h2', { text: 'Thank you, your order is placed' }),
    element('p', { text: `Order ${order.id} for ${order.customer}, ${order.address}` }),
    element('ul', {}, ...order.lines.map(line)),
    element('p', { className: 'total' }, 'Total', element('strong', { text: money.format(order.totalCents / 100) })),
  );
  receipt.hidden = false;
  receipt.scrollIntoView({ block: 'nearest' });
}

async function start() {
  byId('order-form').addEventListener('submit', placeOrder);
  const [, orderId] = /^\/orders\/([^/]+)$/.exec(location.pathname) ?? [];
  try {
    await showMenu();
    if (orderId) showReceipt(await ask(`/api/orders/${orderId}`));
  } catch (error) {
    byId('notice').textContent =
      error.problem?.code === 'ORDER_UNKNOWN' ? 'There is no such order.' : sayProblem(error.problem);
  }
}

await start();
