/** A small screen asks the edge service for small ones. Decided once: a page does not change in the middle. */
export const small = matchMedia('(max-width: 44rem)').matches;
const base = small ? '/m/api' : '/api';

/** Why something did not work, with the problem document of the service if there is one. */
export class Problem extends Error {
  constructor(document) {
    super(words(document));
    this.code = document?.code;
    this.data = document?.data;
    /** The service may have done it all the same. */
    this.open = document === undefined || !decided.has(document.code);
  }
}

export const get = (path) => ask(`${base}${path}`);
/** All that there is, on a small screen, too: for somebody who asks for it. */
export const getWhole = (path) => ask(`/api${path}`);
export const post = (path, body) => send('POST', path, body);
export const put = (path, body) => send('PUT', path, body);
/** Says something in passing: whether it arrives is nobody's concern. */
export const mention = (path) => navigator.sendBeacon(`${base}${path}`);

function send(method, path, body) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return ask(`${base}${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, credentials: 'same-origin' });
  } catch {
    throw new Problem(undefined);
  }
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const document = isJson ? await response.json() : undefined;
  if (!response.ok) throw new Problem(document ?? { code: 'UNAVAILABLE' });
  return document;
}

/** Refusals after which it is certain that nothing was done. */
const decided = new Set([
  'SOLD_OUT',
  'PRODUCT_UNKNOWN',
  'ORDER_GIVEN_UP',
  'KEY_REUSED',
  'INVALID_INPUT',
  'SIGNED_OUT',
  'SIGN_IN_REFUSED',
  'EMAIL_TAKEN',
  'TOO_MANY_ATTEMPTS',
  'FORBIDDEN',
]);

const sentences = {
  SOLD_OUT: 'Something in your basket is sold out.',
  PRODUCT_UNKNOWN: 'There is no such dish on the menu.',
  CATEGORY_UNKNOWN: 'There is no such part of the menu.',
  ORDER_UNKNOWN: 'You have no such order.',
  ORDER_GIVEN_UP: 'We could not confirm this order in time and gave it up. Nothing was taken: please order again.',
  SIGNED_OUT: 'Please sign in first.',
  SIGN_IN_REFUSED: 'E-mail address and password do not fit together.',
  EMAIL_TAKEN: 'There is an account with this e-mail address already. Sign in instead?',
  NOT_STORED: 'We cannot write anything down right now. Please try again later.',
  INVALID_INPUT: 'Something is not filled in as it should be.',
  FORBIDDEN: 'This is not allowed from here.',
};

function words(document) {
  if (document === undefined) return 'We cannot be reached. Are you connected?';
  if (document.code === 'TOO_MANY_ATTEMPTS') {
    const seconds = Math.ceil((document.data?.waitMs ?? 1_000) / 1_000);
    return `Too many attempts. Please wait ${seconds === 1 ? 'a second' : `${seconds} seconds`} and try again.`;
  }
  return sentences[document.code] ?? 'That did not work. Please try again in a moment.';
}
