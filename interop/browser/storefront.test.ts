import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type RunningShop, startShop } from './shop.ts';
import { desktop, focused, launch, phone, picturesShown, skip, tabTo, type Visit, visit } from './visitor.ts';

let people = 0;
/** Somebody new. */
const somebody = () => {
  people += 1;
  return { name: `Ada Lovelace ${people}`, email: `ada${people}@example.org`, password: 'a harbour at night' };
};

describe('the storefront in a browser', { skip, timeout: 300_000 }, () => {
  let shop: RunningShop;
  let browser: Browser;

  before(async () => {
    browser = await launch();
    shop = await startShop();
  });
  after(async () => {
    await browser?.close();
    await shop?.stop();
  });

  it('on a large screen: browse, search, sign up, order, find it in the history, review it', async () => {
    await visit(browser, shop.url, desktop, async ({ page, at, look, asked }) => {
      await page.goto('/');
      await at('/');
      assert.equal(await page.locator('.shelf').count(), 6);
      assert.equal(await page.locator('.card').count(), 36);
      await picturesShown(page);
      await look('desktop-1-menu');

      await page.getByRole('searchbox').fill('lemon');
      await page.keyboard.press('Enter');
      await at('/search');
      await page.getByRole('heading', { level: 1, name: 'found for “lemon”' }).waitFor();
      await look('desktop-2-search');
      await page.getByRole('button', { name: 'Add Lemon posset to the basket' }).click();
      await page.getByRole('status').getByText('Lemon posset is in your basket: 1.').waitFor();

      await page.getByRole('link', { name: 'The Harbour Kitchen' }).click();
      await at('/');
      await page.getByRole('link', { name: 'Harbour rice bowl' }).click();
      await at('/products/rice-bowl');
      await picturesShown(page);
      await look('desktop-3-dish');
      await page.getByRole('button', { name: 'One more: Harbour rice bowl' }).click();
      await page.getByRole('button', { name: 'Add to basket' }).click();
      await page.getByRole('link', { name: 'Basket, 3 dishes, €28.40' }).click();
      await at('/basket');
      await look('desktop-4-basket');

      const person = somebody();
      await page.getByRole('link', { name: 'Sign in to order' }).click();
      await at('/sign-in');
      await look('desktop-5-sign-in');
      await signUp(page, person);
      await at('/basket');
      await page.getByLabel('Address').fill('Pier 1, second door');
      await look('desktop-6-order');
      await page.getByRole('button', { name: 'Order now' }).click();
      await page.getByRole('heading', { name: 'Thank you, your order is placed' }).waitFor();
      assert.match(new URL(page.url()).pathname, /^\/orders\/[\w-]{22}$/);
      await look('desktop-7-thanks');

      await page.getByRole('link', { name: 'All your orders' }).click();
      await at('/orders');
      await page.getByRole('link', { name: '2 × Harbour rice bowl' }).waitFor();
      await picturesShown(page);
      await look('desktop-8-orders');

      await page.getByRole('link', { name: 'Review Lemon posset' }).click();
      await at('/products/lemon-posset');
      await page.getByRole('radio', { name: '5 ★' }).check();
      // What somebody writes is text, whatever it looks like.
      const text = 'Silky. <img src=x onerror="document.title=1"><script>alert(1)</script> & bright.';
      await page.getByLabel('Your review').fill(text);
      await page.getByRole('button', { name: 'Publish' }).click();
      await page.locator('.review-list').getByText(text, { exact: true }).waitFor();
      await page.locator('.review-list').getByText('had it').waitFor();
      await look('desktop-9-review');

      await page.getByRole('link', { name: person.name }).click();
      await at('/sign-in');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Good to see you' }).waitFor();
      assert.equal(await page.getByRole('link', { name: 'Orders' }).isVisible(), false);
      assert.ok(asked.some((path) => path.startsWith('/api/products/')));
      assert.ok(!asked.some((path) => path.startsWith('/m/')), 'a large screen is told by the edge for large ones');
    });
  });

  it('on a phone: the small edge service answers, with small pictures; ordering works the same', async () => {
    await visit(browser, shop.url, phone, async ({ page, at, look, asked }) => {
      await page.goto('/');
      await at('/');
      assert.equal(await page.locator('.card').count(), 24, 'four of each category');
      await picturesShown(page);
      await look('phone-1-menu');
      await page.getByRole('link', { name: 'All 6 of Soups' }).tap();
      await at('/categories/soups');
      assert.equal(await page.locator('.card').count(), 6);
      await look('phone-2-category');
      await page.getByRole('link', { name: 'Roast tomato soup' }).tap();
      await at('/products/tomato-soup');
      await picturesShown(page);
      await look('phone-3-dish');
      assert.match((await page.locator('.dish-text').textContent()) ?? '', /…$/);
      await page.getByRole('button', { name: 'Add to basket' }).tap();
      await page.getByRole('link', { name: 'Basket, 1 dish, €6.90' }).tap();
      await at('/basket');
      await look('phone-4-basket');
      await page.getByRole('link', { name: 'Sign in to order' }).tap();
      await at('/sign-in');
      await look('phone-5-sign-in');
      await signUp(page, somebody());
      await at('/basket');
      await page.getByLabel('Address').fill('Pier 2');
      await page.getByRole('button', { name: 'Order now' }).tap();
      await page.getByRole('heading', { name: 'Thank you, your order is placed' }).waitFor();
      await look('phone-6-thanks');
      await page.getByRole('link', { name: 'All your orders' }).tap();
      await at('/orders');
      await page.getByRole('link', { name: '1 × Roast tomato soup' }).waitFor();
      await look('phone-7-orders');
      assert.deepEqual(
        asked.filter((path) => path.startsWith('/api/')),
        [],
      );
      assert.deepEqual(
        asked.filter((path) => path.startsWith('/pictures/large/')),
        [],
      );
      await page.getByRole('link', { name: '1 × Roast tomato soup' }).tap();
      await at('/products/tomato-soup');
      await page.getByRole('button', { name: 'Tell me everything' }).tap();
      await page.getByText('Comes with toasted bread.').waitFor();
    });
  });

  it('by keyboard alone, from the first key to the placed order', async () => {
    await visit(browser, shop.url, desktop, async ({ page, at, look }) => {
      const person = somebody();
      await page.goto('/');
      await at('/');
      await page.keyboard.press('Tab');
      assert.equal(await focused(page), 'Skip to the menu');
      await look('keyboard-1-skip');
      await tabTo(page, page.getByRole('searchbox'));
      await page.keyboard.type('pretzel');
      await page.keyboard.press('Enter');
      await at('/search');
      assert.match(await focused(page), /found for “pretzel”/, 'the new heading has the focus');
      await tabTo(page, page.getByRole('link', { name: 'Butter pretzel' }));
      await look('keyboard-2-focus');
      await page.keyboard.press('Enter');
      await at('/products/pretzel');
      assert.equal(await focused(page), 'Butter pretzel');
      await tabTo(page, page.getByRole('button', { name: 'One more: Butter pretzel' }));
      await page.keyboard.press('Space');
      await tabTo(page, page.getByRole('button', { name: 'Add to basket' }));
      await page.keyboard.press('Enter');
      await page.getByRole('status').getByText('Butter pretzel is in your basket: 2.').waitFor();
      await tabTo(page, page.getByRole('link', { name: 'Basket, 2 dishes' }));
      await page.keyboard.press('Enter');
      await at('/basket');
      await tabTo(page, page.getByRole('link', { name: 'Sign in to order' }));
      await page.keyboard.press('Enter');
      await at('/sign-in');
      await tabTo(page, page.getByLabel('Name'));
      await page.keyboard.type(person.name);
      await page.keyboard.press('Tab');
      await page.keyboard.type(person.email);
      await page.keyboard.press('Tab');
      await page.keyboard.type(person.password);
      await page.keyboard.press('Enter');
      await at('/basket');
      await tabTo(page, page.getByLabel('Address'));
      await page.keyboard.type('Pier 3');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Thank you, your order is placed' }).waitFor();
      assert.equal(await focused(page), 'Thank you, your order is placed');
      await page.goBack();
      await at('/basket');
      await page.getByRole('heading', { name: 'Your basket is empty' }).waitFor();
    });
  });

  it('somebody was quicker: the page says so kindly, and orders the rest', async () => {
    const walk = async ({ page, at, look }: Visit): Promise<void> => {
      await page.goto('/products/last-cookie');
      await at('/products/last-cookie');
      await page.getByText('This is the last one.').waitFor();
      await page.getByRole('button', { name: 'Add to basket' }).click();
      await page.goto('/products/flat-white');
      await at('/products/flat-white');
      await page.getByRole('button', { name: 'Add to basket' }).click();
      await page.goto('/sign-in?then=/basket');
      await signUp(page, somebody());
      await at('/basket');
      await page.getByLabel('Address').fill('Pier 4');

      await visit(browser, shop.url, desktop, async (quicker) => {
        await quicker.page.goto('/products/last-cookie');
        await quicker.at('/products/last-cookie');
        await quicker.page.getByRole('button', { name: 'Add to basket' }).click();
        await quicker.page.goto('/sign-in?then=/basket');
        await signUp(quicker.page, somebody());
        await quicker.at('/basket');
        await quicker.page.getByLabel('Address').fill('Pier 5');
        await quicker.page.getByRole('button', { name: 'Order now' }).click();
        await quicker.page.getByRole('heading', { name: 'Thank you, your order is placed' }).waitFor();
      });

      await page.getByRole('button', { name: 'Order now' }).click();
      await page.getByRole('alert').getByText('Somebody was quicker: The last cookie is sold out.').waitFor();
      await look('sold-out-1-basket');
      await page.getByRole('button', { name: 'Order the rest without it' }).click();
      await page.getByRole('link', { name: 'The last cookie' }).waitFor({ state: 'detached' });
      assert.equal(await page.getByLabel('Address').inputValue(), 'Pier 4', 'nobody has to type it again');
      await page.getByRole('button', { name: 'Order now' }).click();
      await page.getByRole('heading', { name: 'Thank you, your order is placed' }).waitFor();
      await page.goto('/products/last-cookie');
      await page.getByText('Sold out for today, sorry.').waitFor();
      await look('sold-out-2-dish');
    };
    await visit(browser, shop.url, desktop, walk, [409]);
  });

  it('who wants more than there is may take the last ones', async () => {
    const walk = async ({ page, at, look }: Visit): Promise<void> => {
      await page.goto('/products/fish-soup');
      await at('/products/fish-soup');
      await page.getByRole('button', { name: 'Add to basket' }).click();
      await page.goto('/sign-in?then=/basket');
      await signUp(page, somebody());
      await at('/basket');
      const more = page.getByRole('button', { name: 'One more: Fisherman’s soup' });
      for (let pieces = 1; pieces < 13; pieces++) await more.click();
      await page.getByLabel('Address').fill('Pier 7');
      await page.getByRole('button', { name: 'Order now' }).click();
      await page.getByRole('alert').getByText('Somebody was quicker: only 12 of Fisherman’s soup left.').waitFor();
      await look('sold-out-3-more-than-left');
      await page.getByRole('button', { name: 'Take the last 12' }).click();
      await page.getByRole('link', { name: 'Basket, 12 dishes' }).waitFor();
      await page.getByRole('button', { name: 'Order now' }).click();
      await page.getByRole('heading', { name: 'Thank you, your order is placed' }).waitFor();
    };
    await visit(browser, shop.url, desktop, walk, [409]);
  });

  it('a part that cannot be had is said to be missing, and the rest works', async () => {
    await visit(browser, shop.url, desktop, async ({ page, at, look }) => {
      await page.route('**/api/products/rice-bowl', async (route) => {
        const answer = await (await route.fetch()).json();
        await route.fulfill({
          json: { ...answer, reviews: [], rating: null, related: [], missing: ['reviews', 'related'] },
        });
      });
      await page.goto('/products/rice-bowl');
      await at('/products/rice-bowl');
      await page.getByText('We cannot show reviews and similar dishes right now. Everything else works.').waitFor();
      await look('missing-1-dish');
      await page.getByRole('button', { name: 'Add to basket' }).click();
      await page.getByRole('link', { name: 'Basket, 1 dish' }).waitFor();
    });
  });

  it('a lost answer to an order is no second order', async () => {
    await visit(
      browser,
      shop.url,
      desktop,
      async ({ page, at }) => {
        await page.goto('/products/focaccia');
        await at('/products/focaccia');
        await page.getByRole('button', { name: 'Add to basket' }).click();
        await page.goto('/sign-in?then=/basket');
        await signUp(page, somebody());
        await at('/basket');
        await page.getByLabel('Address').fill('Pier 6');
        let lost = 0;
        await page.route('**/api/orders', async (route) => {
          if (route.request().method() !== 'POST' || lost++ > 0) return route.continue();
          await route.fetch(); // it arrives, and its answer does not
          await route.fulfill({ status: 503, json: { code: 'UNAVAILABLE' } });
        });
        await page.getByRole('button', { name: 'Order now' }).click();
        await page.getByRole('alert').getByText('it will not be ordered twice').waitFor();
        await page.getByRole('button', { name: 'Order now' }).click();
        await page.getByRole('heading', { name: 'Thank you, your order is placed' }).waitFor();
        await page.getByRole('link', { name: 'All your orders' }).click();
        await at('/orders');
        assert.equal(await page.locator('.orders > li').count(), 1);
      },
      [503],
    );
  });

  it('who is not signed in is led to where one signs in, and back', async () => {
    await visit(
      browser,
      shop.url,
      desktop,
      async ({ page, at }) => {
        await page.goto('/orders');
        await page.getByRole('heading', { name: 'Please sign in first' }).waitFor();
        await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
        await at('/sign-in');
        const person = somebody();
        await signUp(page, person);
        await at('/orders');
        await page.getByText('You have not ordered anything yet.').waitFor();
        await page.context().clearCookies();
        await page.goto('/sign-in');
        await page.getByRole('form', { name: 'I have an account' }).getByLabel('E-mail').fill(person.email);
        await page.getByRole('form', { name: 'I have an account' }).getByLabel('Password').fill('not that');
        await page.getByRole('button', { name: 'Sign in', exact: true }).click();
        await page.getByRole('alert').getByText('do not fit together').waitFor();
      },
      [401],
    );
  });
});

async function signUp(page: Page, { name, email, password }: ReturnType<typeof somebody>): Promise<void> {
  const form = page.getByRole('form', { name: 'I am new here' });
  await form.getByLabel('Name').fill(name);
  await form.getByLabel('E-mail').fill(email);
  await form.getByLabel('Password').fill(password);
  await form.getByRole('button', { name: 'Make an account' }).click();
  await page.getByRole('link', { name }).waitFor();
}
