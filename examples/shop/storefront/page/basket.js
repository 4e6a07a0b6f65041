// What the visitor wants, kept in this browser.

const place = 'harbour-basket';
const most = 99;
const kept = read();
const listeners = new Set();

function read() {
  try {
    const { lines, sent } = JSON.parse(localStorage.getItem(place) ?? '{}');
    return { lines: Array.isArray(lines) ? lines : [], sent };
  } catch {
    return { lines: [], sent: undefined };
  }
}

function changed() {
  localStorage.setItem(place, JSON.stringify(kept));
  for (const listener of listeners) listener();
}

export const basket = {
  /** `{ id, name, priceCents, picture, quantity }` */
  get lines() {
    return kept.lines;
  },
  get pieces() {
    return kept.lines.reduce((sum, { quantity }) => sum + quantity, 0);
  },
  get totalCents() {
    return kept.lines.reduce((sum, { priceCents, quantity }) => sum + priceCents * quantity, 0);
  },
  quantityOf: (id) => kept.lines.find((line) => line.id === id)?.quantity ?? 0,
  add({ id, name, priceCents, picture }, quantity = 1) {
    basket.set({ id, name, priceCents, picture }, basket.quantityOf(id) + quantity);
  },
  set(dish, quantity) {
    const wanted = Math.min(most, Math.max(0, quantity));
    const at = kept.lines.findIndex(({ id }) => id === dish.id);
    if (at < 0 && wanted > 0) kept.lines.push({ ...dish, quantity: wanted });
    else if (wanted === 0) kept.lines.splice(at, at < 0 ? 0 : 1);
    else kept.lines[at] = { ...kept.lines[at], quantity: wanted };
    changed();
  },
  clear() {
    kept.lines = [];
    kept.sent = undefined;
    changed();
  },
  onChange: (listener) => listeners.add(listener),
  /** Where it shall go, as it was typed last: for as long as the page is open, and nowhere else. */
  address: '',

  /**
   * The order as it is sent. Its key stays the same as long as nothing in it changes, so that sending it again, be it
   * after a lost answer or in another tab, never orders twice.
   */
  order(customer, address) {
    const items = kept.lines.map(({ id, quantity }) => ({ productId: id, quantity }));
    const wanted = JSON.stringify({ customer, address, items });
    if (kept.sent?.wanted !== wanted) {
      kept.sent = { wanted, key: newKey() };
      changed();
    }
    return { key: kept.sent.key, customer, address, items };
  },
  /** The last key is used up: what was refused under it stays refused. */
  forgetKey() {
    kept.sent = undefined;
    changed();
  },
};

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Another tab filled or emptied it.
addEventListener('storage', ({ key }) => {
  if (key !== place) return;
  Object.assign(kept, read());
  for (const listener of listeners) listener();
});
