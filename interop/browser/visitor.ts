import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';

/** Debian's. Nothing is ever downloaded. */
const executablePath = '/usr/bin/chromium';

const screens = join(import.meta.dirname, '../../.ci/artefacts/screens');

/** Why the suite cannot run here; false where it can. Where gaps are not allowed (`CI=true`) it is never skipped. */
export const skip: string | false =
  existsSync(executablePath) || process.env['CI'] === 'true'
    ? false
    : `no ${executablePath}: the storefront was NOT looked at in a browser (apt-get install chromium)`;

/** What a page of the shop must never do. Each entry fails the test. */
export interface Visit {
  readonly page: Page;
  /** Addresses that the page asked for, without the host. */
  readonly asked: readonly string[];
  /** Keeps a picture of what is seen, for people. */
  look(name: string): Promise<void>;
  /** Waits until a place is shown. */
  at(place: string): Promise<void>;
}

export async function launch(): Promise<Browser> {
  assert.ok(existsSync(executablePath), `${executablePath} is not installed, and CI=true allows no gaps`);
  mkdirSync(screens, { recursive: true });
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export const desktop: BrowserContextOptions = { viewport: { width: 1_280, height: 860 } };
export const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

/**
 * Visits the shop with an empty browser. Errors on the console, exceptions, refusals of the content security policy and
 * requests to elsewhere fail the test.
 * @param expected answers that the test provokes: browsers put failed requests on the console
 */
export async function visit(
  browser: Browser,
  url: string,
  device: BrowserContextOptions,
  use: (visit: Visit) => Promise<void>,
  expected: readonly number[] = [],
): Promise<void> {
  const context = await browser.newContext({ ...device, baseURL: url, reducedMotion: 'reduce' });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const asked: string[] = [];
  const faults: string[] = [];
  await page.exposeFunction('reportViolation', (text: string) => faults.push(`policy: ${text}`));
  await page.addInitScript({ content: reportViolations });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    const provoked = expected.some((status) =>
      message.text().includes(`the server responded with a status of ${status}`),
    );
    if (['error', 'warning'].includes(message.type()) && !provoked) faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (request.url().startsWith(url)) asked.push(request.url().slice(url.length));
    else if (!request.url().startsWith('data:')) faults.push(`asked elsewhere: ${request.url()}`);
  });
  try {
    await use({
      page,
      asked,
      at: (place) => page.locator(`main[data-place="${place}"]:not([aria-busy])`).waitFor(),
      async look(name) {
        await allNamed(page);
        await fitsTheScreen(page);
        const kept = Number(await page.evaluate('scrollY'));
        await page.evaluate('scrollTo(0, 0)');
        await page.screenshot({ path: join(screens, `${name}.png`), fullPage: true });
        await page.evaluate(`scrollTo(0, ${kept})`);
      },
    });
    assert.deepEqual(faults, []);
  } catch (thrown) {
    await page.screenshot({ path: join(screens, `failed-${++failures}.png`), fullPage: true });
    throw thrown;
  } finally {
    await context.close();
  }
}

// What runs in the page is text here: its types are a browser's, and this suite's are Node's.

const reportViolations = `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  reportViolation(violatedDirective + ' ' + blockedURI));`;

const namelessElements = `[...document.querySelectorAll('a[href]:not([aria-hidden]), button, input, textarea')]
  .filter((element) => !(element.getAttribute('aria-label') || element.textContent.trim() || element.labels?.length))
  .map(({ outerHTML }) => outerHTML.slice(0, 200))`;

let failures = 0;

/** Whatever can have the focus has a name that is read aloud. */
async function allNamed(page: Page): Promise<void> {
  assert.deepEqual(await page.evaluate(namelessElements), [], 'nameless');
}

/** Nothing sticks out to the side, on whichever screen. */
async function fitsTheScreen(page: Page): Promise<void> {
  const tooWide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
  assert.ok(Number(tooWide) <= 0, `the page is ${tooWide} pixels wider than the screen`);
}

/** All pictures of the page have been drawn; those that are lazy are scrolled to. */
export async function picturesShown(page: Page): Promise<void> {
  for (const image of await page.locator('main img:visible').all()) await image.scrollIntoViewIfNeeded();
  await page.waitForFunction(
    `[...document.querySelectorAll('main img')].filter((i) => i.checkVisibility()).every((i) => i.complete && i.naturalWidth > 0)`,
  );
  await page.evaluate('scrollTo(0, 0)');
}

/** What has the focus, by its text. */
export async function focused(page: Page): Promise<string> {
  return String(await page.evaluate(`document.activeElement?.textContent?.trim() ?? ''`));
}

/** Whether this element has the focus. */
async function hasFocus(target: Locator): Promise<boolean> {
  return (await target.and(target.page().locator(':focus')).count()) > 0;
}

/** Presses Tab until `target` has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, target: Locator, most = 120): Promise<void> {
  for (let presses = 0; presses < most; presses++) {
    await page.keyboard.press('Tab');
    if (await hasFocus(target)) return;
  }
  throw new Error(`${most} times Tab, and the focus never came to ${target}`);
}
