// Everything that comes from the services is set as text, never as markup.

/** An element: `text` is its text, `class`, `href`, `aria-…` and so on its attributes, `on…` its listeners. */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'text') node.textContent = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

const euros = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

export function money(cents) {
  return euros.format(cents / 100);
}

const days = new Intl.DateTimeFormat('en-IE', { day: 'numeric', month: 'long', year: 'numeric' });
const moments = new Intl.DateTimeFormat('en-IE', { dateStyle: 'medium', timeStyle: 'short' });

export function day(iso) {
  return el('time', { datetime: iso, text: days.format(new Date(iso)) });
}

export function moment(iso) {
  return el('time', { datetime: iso, text: moments.format(new Date(iso)) });
}

/** Stars that are also said. */
export function stars(rating) {
  if (!rating) return undefined;
  const said = rating.count === undefined ? '' : `, ${rating.count} ${rating.count === 1 ? 'review' : 'reviews'}`;
  const full = Math.round(rating.average);
  return el(
    'span',
    { class: 'stars', role: 'img', 'aria-label': `${rating.average} of 5${said}` },
    el('span', { class: 'full', text: '★'.repeat(full) }),
    el('span', { class: 'rest', text: '★'.repeat(5 - full) }),
    el('span', { class: 'figure', text: rating.average.toFixed(1) + (rating.count ? ` (${rating.count})` : '') }),
  );
}

/** The picture of a dish. @param large where there is room for it; a small screen is not told of a large one */
export function picture(of, { alt = '', large = false, soon = false } = {}) {
  const src = (large ? of.large : of.small) ?? of.small;
  return el('img', { src, alt, width: 400, height: 300, loading: soon ? 'eager' : 'lazy', decoding: 'async' });
}

const status = document.getElementById('status');
let fading;

/** Says something to everybody: it is shown for a while, and read aloud. */
export function say(text) {
  status.textContent = text;
  status.classList.add('shown');
  clearTimeout(fading);
  fading = setTimeout(() => status.classList.remove('shown'), 5_000);
}

/** What could not be had, as a sentence; nothing when all is there. */
export function missingNotice(missing) {
  const lost = [...new Set(missing.map((part) => parts[part] ?? 'some things'))];
  if (lost.length === 0) return undefined;
  const list = lost.length === 1 ? lost[0] : `${lost.slice(0, -1).join(', ')} and ${lost.at(-1)}`;
  return el('p', { class: 'notice', text: `We cannot show ${list} right now. Everything else works.` });
}

const parts = {
  products: 'the dishes',
  ratings: 'ratings',
  reviews: 'reviews',
  writers: 'the names of reviewers',
  related: 'similar dishes',
  boughtBefore: 'what you had before',
  available: 'what can be ordered again',
  reviewed: 'what you have reviewed',
};
