import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/testkit';
import { type Client, safe, service } from 'flotilla';
import { mobile } from './contracts/mobile.ts';
import { orders } from './contracts/order.ts';
import { visitor } from './contracts/visitor.ts';
import { web } from './contracts/web.ts';
import { app as mobileApp } from './edge/mobile.ts';
import { app as webApp } from './edge/web.ts';
import { app as catalogApp } from './services/catalog.ts';
import { app as orderApp } from './services/order.ts';
import { app as reviewApp } from './services/review.ts';
import { app as userApp } from './services/user.ts';
import { booksOf } from './test/books.ts';
import { type Shop, withShop } from './test/fleet.ts';

interface Visit extends Shop {
  readonly web: Client<typeof web>;
  readonly mobile: Client<typeof mobile>;
  /** What people do, at the edge for large screens. */
  readonly visit: Client<typeof visitor>;
  /** Stops a backend for good. */
  lose(name: string): Promise<void>;
}

/** The whole shop in one process: real services and databases, a real registry, no socket. */
async function withVisit(
  use: (visit: Visit) => Promise<void>,
  options: Parameters<typeof withShop>[2] = {},
): Promise<void> {
  const browser = service('browser');
  const clients = {
    web: browser.client(web),
    mobile: browser.client(mobile),
    visit: browser.client(visitor, { service: 'web' }),
  };
  const apps = [catalogApp, reviewApp, userApp, orderApp, webApp, mobileApp, browser];
  await withShop(
    apps,
    async (shop) => {
      const lose = (name: string): Promise<void> => shop.fleet.leave(name);
      await use({ ...shop, ...clients, lose });
    },
    options,
  );
}

let people = 0;
/** Somebody new who is signed in: the cookies that the browser then sends. */
async function signUp({ visit }: Visit): Promise<{ readonly session: string }> {
  people += 1;
  const person = { name: `Ada ${people}`, email: `ada${people}@example.org`, password: 'a harbour at night' };
  const { session } = await visit.signUp(person);
  assert.ok(session);
  return { session };
}

let baskets = 0;
const basket = (...productIds: readonly string[]) => ({
  key: `basket-number-${String(++baskets).padStart(8, '0')}`,
  ...{ customer: 'Ada', address: 'Pier 1' },
  items: productIds.map((productId) => ({ productId, quantity: 1 })),
});

test('the home page gathers categories, products and ratings', async () => {
  await withVisit(async ({ web: edge }) => {
    const home = await edge.home(undefined);
    assert.deepEqual(home.missing, []);
    assert.deepEqual(
      home.categories.map(({ products }) => products.length),
      Array(6).fill(6),
    );
    assert.deepEqual(home.categories[0]?.products[0], {
      id: 'rice-bowl',
      name: 'Harbour rice bowl',
      priceCents: 1_150,
      available: true,
      tags: ['vegetarian'],
      picture: { large: '/pictures/large/rice-bowl.svg', small: '/pictures/small/rice-bowl.svg' },
      rating: { average: 4.7, count: 3 },
    });
  });
});

test('one product page, gathered from four backends, is trimmed for two kinds of screens', async () => {
  await withVisit(async (shop) => {
    const session = await signUp(shop);
    await shop.visit.placeOrder({ ...basket('rice-bowl'), ...session });
    const large = await shop.web.product({ id: 'rice-bowl', ...session });
    const small = await shop.mobile.product({ id: 'rice-bowl', ...session });
    assert.deepEqual([large.missing, small.missing], [[], []]);
    assert.deepEqual([large.reviews.length, small.reviews.length], [3, 2]);
    assert.deepEqual([large.related.length, small.related.length], [5, 2]);
    assert.deepEqual([large.boughtBefore, small.boughtBefore], [1, 1]);
    assert.deepEqual([large.left, small.left], [39, 39]);
    assert.equal(large.reviews[0]?.by, 'Mara', 'its writer’s name comes from a third service');
    assert.ok(large.description.startsWith(small.description.replace('…', '')) && small.description.length <= 90);
    assert.deepEqual(small.related[0], {
      id: 'lentil-bowl',
      name: 'Green lentil bowl',
      picture: { small: '/pictures/small/lentil-bowl.svg' },
    });
    const [largeBytes, smallBytes] = [large, small].map((page) => JSON.stringify(page).length) as [number, number];
    assert.ok(smallBytes < largeBytes / 2, `${smallBytes} of ${largeBytes} bytes`);
  });
});

test('a page without a backend says what is missing, and shows the rest', async () => {
  await withVisit(async (shop) => {
    const session = await signUp(shop);
    await shop.visit.placeOrder({ ...basket('pretzel'), ...session });
    await shop.lose('review');
    const page = await shop.web.product({ id: 'rice-bowl', ...session });
    assert.deepEqual([page.missing, page.reviews, page.boughtBefore], [['reviews'], [], 0]);
    const home = await shop.mobile.home(undefined);
    assert.deepEqual(home.missing, [], 'nobody need be told that a card has no stars');
    assert.ok(home.categories.every(({ products }) => products.every(({ rating }) => rating === null)));
    const history = await shop.web.history(session);
    assert.deepEqual([history.missing, history.orders[0]?.lines[0]?.reviewed], [['reviewed'], null]);
    await shop.lose('order');
    assert.deepEqual((await shop.web.product({ id: 'rice-bowl', ...session })).missing.toSorted(), [
      'boughtBefore',
      'reviews',
    ]);
    await shop.lose('user');
    const anonymous = await shop.web.product({ id: 'rice-bowl' });
    assert.deepEqual([anonymous.missing, anonymous.boughtBefore], [['reviews'], null]);
  });
});

test('a product or category that is none is said to be none', async () => {
  await withVisit(async ({ web: edge, mobile: small }) => {
    const unknown = await safe(edge.product({ id: 'nothing' }));
    assert.ok(!unknown.ok && unknown.error.code === 'PRODUCT_UNKNOWN');
    assert.deepEqual(unknown.error.data, { id: 'nothing' });
    await assert.rejects(small.product({ id: 'nothing' }), { code: 'PRODUCT_UNKNOWN' });
    await assert.rejects(small.category({ id: 'nothing' }), { code: 'CATEGORY_UNKNOWN' });
  });
});

test('small screens get four dishes of a category, and all of them when they ask', async () => {
  await withVisit(async ({ mobile: small }) => {
    const { categories } = await small.home(undefined);
    assert.deepEqual(
      categories.map(({ products, count }) => [products.length, count]),
      Array(6).fill([4, 6]),
    );
    assert.equal((await small.category({ id: 'soups' })).products.length, 6);
    assert.equal((await small.search({ text: 'vegetarian' })).products.length, 12);
  });
});

test('an order is placed once, seen by its buyer, and takes its stock', async () => {
  await withVisit(async (shop) => {
    const session = await signUp(shop);
    const wanted = { ...basket('last-cookie'), ...session };
    const order = await shop.visit.placeOrder(wanted);
    assert.deepEqual([order.status, order.totalCents], ['placed', 250]);
    assert.deepEqual(await shop.visit.placeOrder(wanted), order, 'sent again, it is the same order');
    assert.deepEqual(await shop.visit.order({ id: order.id, ...session }), order);
    const second = await safe(shop.visit.placeOrder({ ...basket('last-cookie'), ...session }));
    assert.ok(!second.ok && second.error.code === 'SOLD_OUT');
    assert.deepEqual(second.error.data, { id: 'last-cookie', left: 0 });
    assert.equal((await shop.web.product({ id: 'last-cookie' })).available, false);
    const { orders } = await shop.web.history(session);
    assert.deepEqual(
      orders.map(({ status, pieces }) => [status, pieces]),
      [
        ['refused', 1],
        ['placed', 1],
      ],
    );
  });
});

test('the kitchen hears of each order once it is placed, and goes on where it was', async () => {
  const clock = new ManualClock();
  await withVisit(
    async (shop) => {
      const session = await signUp(shop);
      const first = await shop.visit.placeOrder({ ...basket('pretzel'), ...session });
      const screen = shop.fleet.client(orders).kitchen({ after: 0 })[Symbol.asyncIterator]();
      const { value: ticket } = await screen.next();
      assert.deepEqual(ticket, {
        number: 1,
        orderId: first.id,
        lines: [{ productId: 'pretzel', name: first.lines[0]?.name, quantity: 1 }],
      });
      const next = screen.next();
      const second = await shop.visit.placeOrder({ ...basket('pea-soup'), ...session });
      await clock.advance(1_000);
      assert.equal((await next).value?.orderId, second.id);
      await screen.return?.();
      const again = shop.fleet.client(orders).kitchen({ after: 1 })[Symbol.asyncIterator]();
      assert.equal((await again.next()).value?.number, 2);
      await again.return?.();
    },
    { clock },
  );
});

test('who is not signed in orders nothing, reviews nothing and sees no orders', async () => {
  await withVisit(async ({ web: edge, mobile: small, visit }) => {
    for (const session of [{}, { session: 'guessed' }, { session: '' }]) {
      await assert.rejects(visit.placeOrder({ ...basket('pretzel'), ...session }), { code: 'SIGNED_OUT' });
      await assert.rejects(visit.writeReview({ productId: 'pretzel', rating: 1, text: 'no', ...session }), {
        code: 'SIGNED_OUT',
      });
      await assert.rejects(edge.history(session), { code: 'SIGNED_OUT' });
      await assert.rejects(small.history(session), { code: 'SIGNED_OUT' });
      assert.deepEqual(await visit.me(session), { person: null });
    }
  });
});

test('another person’s order looks exactly like one that never was', async () => {
  await withVisit(async (shop) => {
    const [ada, eve] = [await signUp(shop), await signUp(shop)];
    const { id } = await shop.visit.placeOrder({ ...basket('pretzel'), ...ada });
    const answers = await Promise.all(
      [id, 'AAAAAAAAAAAAAAAAAAAAAA'].map((asked) => safe(shop.visit.order({ id: asked, ...eve }))),
    );
    const [hers, none] = answers.map((answer) =>
      answer.ok ? answer : [answer.error.code, answer.error.detail, answer.error.httpStatus],
    );
    assert.deepEqual(hers, ['ORDER_UNKNOWN', 'order.find answered ORDER_UNKNOWN', 404]);
    assert.deepEqual(hers, none);
    assert.deepEqual((await shop.web.history(eve)).orders, []);
  });
});

test('people sign in with their password alone, and a wrong one is refused like an unknown address', async () => {
  await withVisit(async ({ visit }) => {
    const ada = { email: 'Ada@Example.org', password: 'a harbour at night' };
    await visit.signUp({ ...ada, name: 'Ada' });
    await assert.rejects(visit.signUp({ ...ada, name: 'Eve' }), { code: 'EMAIL_TAKEN' });
    const { session = '', person } = await visit.signIn({ ...ada, email: 'ada@example.org' });
    assert.equal(person.name, 'Ada');
    assert.deepEqual((await visit.me({ session })).person, person);
    const refusals = await Promise.all(
      [
        { ...ada, password: 'A harbour at night' },
        { ...ada, email: 'eve@example.org' },
      ].map((tried) => safe(visit.signIn(tried))),
    );
    const [wrong, unknown] = refusals.map((refusal) =>
      refusal.ok ? refusal : [refusal.error.code, refusal.error.detail],
    );
    assert.deepEqual(wrong, ['SIGN_IN_REFUSED', 'user.signIn answered SIGN_IN_REFUSED']);
    assert.deepEqual(wrong, unknown);
    await visit.signOut({ session });
    assert.deepEqual(await visit.me({ session }), { person: null });
  });
});

test('guessing passwords is slowed after five times, per address that the gateway saw', async () => {
  await withVisit(
    async ({ visit }) => {
      const tried = { email: 'ada@example.org', password: 'guess number one' };
      for (let guess = 0; guess < 5; guess++)
        await assert.rejects(visit.signIn({ ...tried, forwardedFor: `10.0.0.${guess}, 192.0.2.1` }), {
          code: 'SIGN_IN_REFUSED',
        });
      const slowed = await safe(visit.signIn({ ...tried, forwardedFor: '192.0.2.1' }));
      assert.ok(!slowed.ok && slowed.error.code === 'TOO_MANY_ATTEMPTS');
      assert.ok(slowed.error.data.waitMs > 0 && slowed.error.data.waitMs <= 1_000);
      await assert.rejects(visit.signIn({ ...tried, forwardedFor: '192.0.2.2' }), { code: 'SIGN_IN_REFUSED' });
    },
    { clock: new ManualClock() },
  );
});

test('a session is over when its time is, by the clock', async () => {
  const clock = new ManualClock();
  await withVisit(
    async (shop) => {
      const session = await signUp(shop);
      await clock.advance(3_540_000);
      assert.ok((await shop.visit.me(session)).person);
      await clock.advance(60_000);
      assert.deepEqual(await shop.visit.me(session), { person: null });
    },
    { clock, settings: { user: { sessionHours: 1 } } },
  );
});

test('a review appears under its writer’s name, and says whether the dish was bought', async () => {
  await withVisit(async (shop) => {
    const session = await signUp(shop);
    const written = { productId: 'pea-soup', rating: 2, text: 'Not green enough.', ...session };
    await shop.visit.writeReview(written);
    assert.equal((await shop.web.product({ id: 'pea-soup' })).reviews[0]?.bought, false);
    await shop.visit.placeOrder({ ...basket('pea-soup'), ...session });
    await shop.visit.writeReview({ ...written, rating: 5, text: 'Greener than I thought.' });
    const { reviews, rating } = await shop.web.product({ id: 'pea-soup' });
    assert.deepEqual([rating, reviews.length], [{ average: 5, count: 1 }, 1]);
    assert.deepEqual(
      [reviews[0]?.text, reviews[0]?.bought, reviews[0]?.by.startsWith('Ada')],
      ['Greener than I thought.', true, true],
    );
    assert.equal((await shop.web.history(session)).orders[0]?.lines[0]?.reviewed, true);
    await assert.rejects(shop.visit.writeReview({ ...written, productId: 'nothing' }), { code: 'PRODUCT_UNKNOWN' });
  });
});

test('a bad order is refused by name', async () => {
  await withVisit(async (shop) => {
    const session = await signUp(shop);
    const none = { ...basket(), items: [{ productId: 'rice-bowl', quantity: 0 }] };
    const bad = await safe(shop.visit.placeOrder({ ...none, ...session }));
    assert.ok(!bad.ok && bad.error.code === 'INVALID_INPUT');
    assert.match(JSON.stringify(bad.error.data), /quantity/);
  });
});

test('twenty buyers of the last pieces at once: none is sold twice, none is lost', async () => {
  await withVisit(async (shop) => {
    const session = await signUp(shop);
    const buy = () => safe(shop.visit.placeOrder({ ...basket('fish-soup'), ...session }));
    const results = await Promise.all(Array.from({ length: 20 }, buy));
    assert.equal(results.filter(({ ok }) => ok).length, 12);
    assert.ok(results.every((result) => result.ok || result.error.code === 'SOLD_OUT'));
    assert.equal((await shop.web.product({ id: 'fish-soup' })).left, 0);
    const books = booksOf(shop.file('catalog'), shop.file('order'), { settled: true });
    assert.deepEqual([books.get('fish-soup')?.left, books.get('fish-soup')?.placed], [0, 12]);
  });
});

test('a full disk is said clearly, and loses no order that was confirmed', async () => {
  await withVisit(
    async (shop) => {
      const session = await signUp(shop);
      const confirmed: string[] = [];
      const order = async (): Promise<void> => {
        const { id } = await shop.visit.placeOrder({ ...basket('ginger-tea'), ...session });
        confirmed.push(id);
      };
      await assert.rejects(
        async () => {
          for (;;) await order();
        },
        { code: 'NOT_STORED', httpStatus: 507, detail: 'nothing was changed: there is no room left' },
      );
      assert.ok(confirmed.length > 0);
      for (const id of confirmed) assert.equal((await shop.visit.order({ id, ...session })).status, 'placed');
    },
    { settings: { order: { maxDbBytes: 65_536 } } },
  );
});
