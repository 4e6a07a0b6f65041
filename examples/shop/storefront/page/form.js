import { el } from './dom.js';

/** A field with its label. */
export function field(label, name, { tag = 'input', hint, ...properties } = {}) {
  const id = `field-${name}-${++count}`;
  return el(
    'p',
    { class: 'field' },
    el('label', { for: id, text: label }),
    el(tag, { id, name, 'aria-describedby': hint && `${id}-hint`, ...properties }),
    hint && el('span', { class: 'hint', id: `${id}-hint`, text: hint }),
  );
}

let count = 0;

/** Runs while the form takes nothing else: a second press is not a second order. */
export async function busy(form, work) {
  if (form.getAttribute('aria-busy') === 'true') return;
  const buttons = form.querySelectorAll('button');
  form.setAttribute('aria-busy', 'true');
  for (const button of buttons) button.setAttribute('aria-disabled', 'true');
  form.querySelector('.problem')?.replaceChildren();
  try {
    await work();
  } finally {
    form.removeAttribute('aria-busy');
    for (const button of buttons) button.removeAttribute('aria-disabled');
  }
}

/** Says in the form what did not work. */
export function fail(form, error, ...more) {
  form.querySelector('.problem').replaceChildren(error.message, ...more);
}
