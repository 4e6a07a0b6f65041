import { el } from './dom.js';

/** How many: a number between two buttons. @param change is told each new number */
export function quantity(name, start, { least = 1, most = 99, change }) {
  let now = start;
  const field = el('output', { 'aria-live': 'polite', text: String(now) });
  const step = (by) => () => {
    const next = Math.min(most, Math.max(least, now + by));
    if (next === now) return;
    now = next;
    field.textContent = String(now);
    change(now);
  };
  const node = el(
    'div',
    { class: 'quantity', role: 'group', 'aria-label': `How many: ${name}` },
    el('button', { type: 'button', 'aria-label': `One less: ${name}`, onclick: step(-1), text: '−' }),
    field,
    el('button', { type: 'button', 'aria-label': `One more: ${name}`, onclick: step(1), text: '+' }),
  );
  return node;
}
