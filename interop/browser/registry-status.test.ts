import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type Instance, systemClock, systemRandom } from '@flotilla/core';
import { anInstance } from '@flotilla/core/testing';
import { type HttpListener, routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { createRegistry, type Registry, statusRoutes } from '@flotilla/registry/server';
import { type Browser, chromium } from 'playwright-core';

// Debian's Chromium, or the one that CHROMIUM names: playwright-core brings none.
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const skip = isThere || process.env['CI'] === 'true' ? false : `no ${executablePath}: the page was NOT looked at`;
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const instance = (service: string, id: string, parts: Partial<Instance> = {}): Instance =>
  anInstance({ service, id, ...parts });

describe("the registry's status page in a browser", { skip }, () => {
  let registry: Registry;
  let listener: HttpListener;
  let browser: Browser;

  before(async () => {
    assert.ok(isThere, `no ${executablePath}, and CI=true allows no gaps: install chromium or set CHROMIUM`);
    const needs = { clock: systemClock, random: systemRandom };
    registry = createRegistry(needs);
    await registry.start();
    listener = await nodeNetwork(needs).listen({ host: '127.0.0.1', port: 0 }, routesHandler(statusRoutes(registry)));
    browser = await chromium.launch({ executablePath, args });
  });
  after(async () => {
    await browser?.close();
    await Promise.all([registry?.stop('test'), listener?.drain(1_000)]);
  });
  const url = (query = ''): string => `http://127.0.0.1:${listener.port}/${query}`;

  it('a registration appears by itself, changes its colour, and goes', async () => {
    const page = await browser.newPage();
    const faults: string[] = [];
    const asked: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(url());
    await page.getByRole('status').getByText('live').waitFor();
    const before = asked.length;

    registry.register(instance('orders', 'host:8080:orders', { metadata: { '<b>bold</b>': '<i onload=alert(1)>' } }));
    const row = page.getByRole('row', { name: /host:8080:orders/ });
    await row.getByText('up', { exact: true }).waitFor();
    await row.getByText('1 entry of metadata').click();
    await page.getByText('<i onload=alert(1)>').waitFor(); // as text

    registry.setStatus({ service: 'orders', id: 'host:8080:orders' }, 'draining');
    await row.getByText('draining', { exact: true }).waitFor();
    assert.ok(await page.getByText('<i onload=alert(1)>').isVisible(), 'what was opened stays open');
    registry.deregister({ service: 'orders', id: 'host:8080:orders' });
    await row.waitFor({ state: 'detached' });
    await page.getByText('deregistered').waitFor();

    assert.deepEqual(asked.slice(before), [], 'nothing was asked for: it was pushed');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('without scripts it is read, searched and paged', async () => {
    for (let n = 0; n < 120; n++) registry.register(instance('web', `web-${n}`));
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(url());
    assert.match(await page.innerText('#connection'), /Without scripts this page shows the moment/);
    await page.getByRole('link', { name: 'Next' }).click();
    await page.getByText('page 2 of 3').waitFor();
    await page.getByLabel('Search instances').fill('web-77');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('heading', { name: '1 instance' }).waitFor();
    await page.getByRole('row', { name: /web-77/ }).waitFor();
    await context.close();
  });

  it('on a phone nothing is wider than the screen, and the keyboard reaches the instances first', async () => {
    registry.register(instance('long', `${'very-long-id-'.repeat(15)}end`, { metadata: { key: 'v'.repeat(900) } }));
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    await page.goto(url());
    const [wide, screen] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [
      number,
      number,
    ];
    assert.ok(wide <= screen, `${wide} of ${screen}`);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'To the instances');
    await page.close();
  });
});
