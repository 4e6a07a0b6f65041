import { put } from './api.js';
import { day, el, say, stars } from './dom.js';
import { busy, fail, field } from './form.js';
import { reload } from './router.js';
import { visitor } from './visitor.js';

/** What people said of a dish, and a place to say something oneself. */
export function reviewSection(dish) {
  const lost = dish.missing.includes('reviews');
  return el(
    'section',
    { class: 'reviews', 'aria-labelledby': 'reviews' },
    el('h2', { id: 'reviews', text: 'What people say' }),
    el(
      'div',
      { class: 'reviews-both' },
      dish.reviews.length > 0
        ? el('ul', { class: 'review-list' }, ...dish.reviews.map(review))
        : el('p', {
            class: 'lead',
            text: lost ? 'Reviews cannot be shown right now.' : 'Nobody has said anything yet.',
          }),
      !lost && (visitor.person ? form(dish) : invitation()),
    ),
  );
}

function review({ by, rating, text, bought, writtenAt }) {
  return el(
    'li',
    {},
    el(
      'p',
      { class: 'review-head' },
      el('strong', { text: by }),
      stars({ average: rating }),
      bought && el('span', { class: 'tag', text: 'had it' }),
    ),
    el('p', { text }),
    writtenAt && el('p', { class: 'quiet' }, day(writtenAt)),
  );
}

function invitation() {
  return el(
    'p',
    { class: 'quiet' },
    el('a', { href: `/sign-in?then=${encodeURIComponent(location.pathname)}`, text: 'Sign in' }),
    ' to write a review.',
  );
}

function form(dish) {
  const send = (event) => {
    event.preventDefault();
    const data = new FormData(event.target);
    return busy(event.target, async () => {
      try {
        await put(`/products/${encodeURIComponent(dish.id)}/review`, {
          rating: Number(data.get('rating')),
          text: data.get('text'),
        });
        say('Thank you, your review is on the page.');
        await reload();
      } catch (error) {
        fail(event.target, error);
      }
    });
  };
  return el(
    'form',
    { class: 'panel', onsubmit: send, 'aria-labelledby': 'review-title' },
    el('h3', { id: 'review-title', text: 'How was it?' }),
    el(
      'fieldset',
      { class: 'star-choice' },
      el('legend', { text: 'Stars' }),
      ...[1, 2, 3, 4, 5].map((value) =>
        el(
          'label',
          {},
          el('input', { type: 'radio', name: 'rating', value, required: true }),
          el('span', { text: `${value} ★` }),
        ),
      ),
    ),
    field('Your review', 'text', { tag: 'textarea', maxlength: 1000, rows: 4, required: true }),
    el('button', { class: 'main-action', type: 'submit', text: 'Publish' }),
    el('p', { class: 'problem', role: 'alert' }),
  );
}
