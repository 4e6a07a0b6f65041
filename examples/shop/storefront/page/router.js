import { Problem } from './api.js';
import { el } from './dom.js';
import { forget } from './visitor.js';

// One page with many places: the address says what is shown, and links work as links do.

const main = document.getElementById('main');
let places = [];
let showing = 0;

/** @param table `[pattern, view]`: a view gives `{ title, nodes, wide? }`, or rejects with a Problem */
export function start(table) {
  places = table;
  history.scrollRestoration = 'manual';
  document.addEventListener('click', follow);
  addEventListener('popstate', ({ state }) => show(here, { focus: false, scrollTo: state?.y ?? 0 }));
  return show(here, { focus: false, scrollTo: 0 });
}

/** Goes to a place of the shop. Its heading gets the focus, so that whoever does not see the page hears what it is. */
export function go(place) {
  history.replaceState({ y: scrollY }, '');
  history.pushState({ y: 0 }, '', place);
  return show(here, { focus: true, scrollTo: 0 });
}

/** Shows the same place again. */
export function reload({ focus = false } = {}) {
  return show(here, focus ? { focus, scrollTo: 0 } : { focus });
}

function follow(event) {
  const link = event.target.closest('a');
  const special =
    event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (!link || special || link.origin !== location.origin) return;
  const within = link.pathname === location.pathname && link.search === location.search && link.hash !== '';
  if (within) return; // to a part of this page: the browser knows how
  event.preventDefault();
  void go(link.pathname + link.search + link.hash);
}

/** Shows what a view gives, unless somebody goes on meanwhile. */
export async function show(view, { focus, scrollTo = scrollY }) {
  const turn = ++showing;
  main.setAttribute('aria-busy', 'true');
  const { title, nodes, wide = false } = await view().catch(troubled);
  if (turn !== showing) return;
  document.title = `${title} · The Harbour Kitchen`;
  main.className = wide ? 'wide' : 'narrow';
  main.replaceChildren(...nodes.filter(Boolean));
  main.removeAttribute('aria-busy');
  main.dataset.place = location.pathname;
  dispatchEvent(new Event('shown'));
  const part = location.hash && document.getElementById(location.hash.slice(1));
  if (part) part.scrollIntoView();
  else window.scrollTo(0, scrollTo);
  if (focus) main.querySelector('h1')?.focus({ preventScroll: true });
}

/** The view of the address. */
async function here() {
  const { pathname, search } = location;
  for (const [pattern, view] of places) {
    const match = pattern.exec(pathname);
    if (match) return view(decoded(match.groups ?? {}), new URLSearchParams(search));
  }
  return problem('There is nothing here.');
}

/** What cannot be decoded is looked up as it stands, and not found. */
function decoded(groups) {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    return { ...groups };
  }
}

function troubled(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.code === 'SIGNED_OUT') {
    forget();
    const then = encodeURIComponent(location.pathname);
    return problem(
      'Please sign in first',
      el('a', { class: 'main-action', href: `/sign-in?then=${then}`, text: 'Sign in' }),
    );
  }
  return problem(error.message);
}

function problem(title, link = el('a', { class: 'main-action', href: '/', text: 'To the menu' })) {
  return { title, nodes: [el('h1', { tabindex: '-1', text: title }), el('p', {}, link)] };
}
