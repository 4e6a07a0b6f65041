/**
 * Keeps an open page up to date. The registry pushes the changing parts as it wrote them, escaped; this script puts them
 * in place and counts the seconds between two pushes. It asks for nothing by itself.
 */
export const pageScript = `'use strict';
const connection = document.getElementById('connection');
let shownAt = performance.now();
let waiting;

function say(text, state) {
  if (connection.textContent !== text) connection.textContent = text;
  connection.className = state;
}

function duration(ms) {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 120) return seconds + ' s';
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return minutes + ' min';
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? hours + ' h' : Math.floor(hours / 24) + ' d';
}

function tick() {
  const passed = performance.now() - shownAt;
  for (const at of document.querySelectorAll('[data-ago]')) at.textContent = duration(Number(at.dataset.ago) + passed);
  for (const at of document.querySelectorAll('[data-left]')) {
    at.textContent = duration(Math.max(0, Number(at.dataset.left) - passed));
  }
}

/* Somebody who marks text keeps what is there. */
function isMarking() {
  const marked = document.getSelection();
  return marked !== null && !marked.isCollapsed;
}

function show() {
  if (waiting === undefined || isMarking()) return;
  const fresh = new DOMParser().parseFromString(waiting, 'text/html');
  waiting = undefined;
  const open = new Set(Array.from(document.querySelectorAll('details[open]'), (one) => one.dataset.key));
  const focused = document.activeElement;
  const focusedIs = focused && (focused.dataset.key || focused.getAttribute('href'));
  const scrolled = document.querySelector('.services')?.scrollTop ?? 0;
  for (const section of fresh.querySelectorAll('section[id]')) {
    for (const one of section.querySelectorAll('details')) one.open = open.has(one.dataset.key);
    const place = document.getElementById(section.id);
    if (place && place.innerHTML !== section.innerHTML) place.replaceChildren(...section.childNodes);
  }
  shownAt = performance.now();
  const list = document.querySelector('.services');
  if (list) list.scrollTop = scrolled;
  if (focusedIs && !focused.isConnected) {
    for (const one of document.querySelectorAll('main a[href]')) if (one.getAttribute('href') === focusedIs) one.focus();
  }
}

say('connecting', '');
const source = new EventSource(document.body.dataset.live);
source.addEventListener('view', (event) => {
  waiting = event.data;
  say('live', 'live');
  show();
});
source.addEventListener('error', () => {
  say(source.readyState === EventSource.CLOSED ? 'ended; load the page again' : 'connection lost, trying again', 'lost');
});
document.addEventListener('selectionchange', show);
setInterval(tick, 1000);
`;
