import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { app as catalogApp } from '../services/catalog.ts';
import { app as orderApp } from '../services/order.ts';
import { app as reviewApp } from '../services/review.ts';
import { app as userApp } from '../services/user.ts';
import { type Shop, withShop } from '../test/fleet.ts';
import { app as mobileApp } from './mobile.ts';
import { app as webApp } from './web.ts';

// What a browser sees: bytes and fields, over the network in memory.

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: documents of the shop, checked where they are used
  readonly json: any;
}

type Fields = Readonly<Record<string, string>>;
type Ask = (service: 'web' | 'mobile', line: string, fields?: Fields, body?: unknown) => Promise<Answer>;

const apps = [catalogApp, reviewApp, userApp, orderApp, webApp, mobileApp];

async function withEdges(use: (ask: Ask, shop: Shop) => Promise<void>, edges: object = { publicUrl }): Promise<void> {
  const settings = { web: edges, mobile: edges };
  await withShop(
    apps,
    async (shop) => {
      const ask: Ask = async (service, line, fields = {}, body) => {
        const [method = '', path = ''] = line.split(' ');
        const headers = new Headers(fields);
        if (body !== undefined) headers.set('content-type', 'application/json');
        const [edge] = shop.fleet.copies(service);
        assert.ok(edge);
        const answer = await edge.fetch(path, {
          method,
          headers,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await answer.text();
        const isJson = /json/.test(answer.headers.get('content-type') ?? '');
        return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined };
      };
      await use(ask, shop);
    },
    { settings },
  );
}

/** Where the shop is found in these tests: over TLS, as in production. */
const publicUrl = 'https://shop.example';

const ada = { name: 'Ada', email: 'ada@example.org', password: 'a harbour at night' };
const page = { origin: publicUrl, 'sec-fetch-site': 'same-origin' };

test('in public, a session is a cookie that scripts, other sites and plain HTTP never see', async () => {
  await withEdges(async (ask) => {
    const made = await ask('web', 'POST /api/people', page, ada);
    assert.equal(made.status, 201);
    const [cookie = '', ...more] = made.headers.getSetCookie();
    assert.match(cookie, /^__Host-session=[\w-]{43}; Path=\/; SameSite=Strict; Max-Age=2592000; Secure; HttpOnly$/);
    assert.deepEqual(more, []);
    assert.doesNotMatch(made.text, /session/i, 'the token is in the cookie and nowhere else');
    assert.equal(made.headers.get('cache-control'), 'no-store');
    const kept = cookie.split(';')[0] ?? '';
    assert.equal((await ask('mobile', 'GET /api/session', { cookie: kept })).json.person.name, 'Ada');
    const token = kept.slice('__Host-session='.length);
    const plain = await ask('web', 'GET /api/session', { cookie: `session=${token}` });
    assert.equal(plain.json.person, null, 'one that did not come over TLS is nobody’s');
    const ended = await ask('web', 'POST /api/session/end', { ...page, cookie: kept });
    assert.match(ended.headers.get('set-cookie') ?? '', /^__Host-session=; .*Max-Age=0/);
    assert.equal((await ask('web', 'GET /api/session', { cookie: kept })).json.person, null);
  });
});

test('on loopback, without a public address, the cookie is plain; elsewhere nobody can sign in', async () => {
  await withEdges(async (ask) => {
    const local = { 'x-forwarded-host': '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' };
    const made = await ask('web', 'POST /api/people', local, ada);
    assert.match(
      made.headers.get('set-cookie') ?? '',
      /^session=[\w-]{43}; Path=\/; SameSite=Strict; Max-Age=2592000; HttpOnly$/,
    );
    const away = { 'x-forwarded-host': 'shop.example', origin: 'http://shop.example' };
    const refused = await ask('web', 'POST /api/session', away, ada);
    assert.deepEqual([refused.status, refused.json.code], [403, 'FORBIDDEN']);
  }, {});
});

test('what another site makes a browser send changes nothing, on neither edge', async () => {
  await withEdges(async (ask) => {
    const made = await ask('web', 'POST /api/people', page, ada);
    const cookie = made.headers.get('set-cookie')?.split(';')[0] ?? '';
    const order = {
      key: 'basket-of-another-site',
      customer: 'Eve',
      address: 'Elsewhere',
      items: [{ productId: 'pretzel', quantity: 1 }],
    };
    for (const service of ['web', 'mobile'] as const) {
      for (const fields of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
      ] as Fields[]) {
        const refused = await ask(service, 'POST /api/orders', { ...fields, cookie }, order);
        assert.deepEqual([refused.status, refused.json.code], [403, 'FORBIDDEN'], JSON.stringify(fields));
      }
    }
    assert.deepEqual((await ask('web', 'GET /api/orders', { cookie })).json.orders, []);
    assert.equal((await ask('mobile', 'POST /api/orders', { ...page, cookie }, order)).status, 201);
  });
});

test('pictures are kept by browsers, and are sent again only when they have changed', async () => {
  await withEdges(async (ask) => {
    const picture = await ask('web', 'GET /pictures/large/rice-bowl.svg');
    assert.deepEqual(
      ['content-type', 'cache-control', 'content-security-policy', 'x-content-type-options'].map((name) =>
        picture.headers.get(name),
      ),
      ['image/svg+xml', 'public, max-age=86400', "default-src 'none'; sandbox", 'nosniff'],
    );
    const etag = picture.headers.get('etag') ?? '';
    const again = await ask('web', 'GET /pictures/large/rice-bowl.svg', { 'if-none-match': etag });
    assert.deepEqual([again.status, again.text, again.headers.get('etag')], [304, '', etag]);
    const small = await ask('web', 'GET /pictures/small/rice-bowl.svg', { 'if-none-match': etag });
    assert.equal(small.status, 200);
    const plates = await Promise.all(
      ['a-new-dish', 'another'].map((id) => ask('web', `GET /pictures/small/${id}.svg`)),
    );
    assert.deepEqual(
      [plates[0]?.status, plates[0]?.text],
      [200, plates[1]?.text],
      'a dish that nobody drew is an empty plate',
    );
    assert.equal((await ask('web', 'GET /pictures/large/rice-bowl')).status, 404);
  });
});

test('the page may run nothing but its own script', async () => {
  await withEdges(async (ask) => {
    for (const place of ['/', '/products/rice-bowl', '/orders/abc', '/basket']) {
      const { status, headers, text } = await ask('web', `GET ${place}`);
      assert.equal(status, 200);
      const policy = headers.get('content-security-policy') ?? '';
      for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"])
        assert.ok(policy.includes(part));
      assert.doesNotMatch(text, /<script(?![^>]* src=)|<style|\son\w+=|style=/);
    }
  });
});

/** `UPDATE_GOLDEN=1` writes what is answered now. */
const golden = new URL('../test/web-and-mobile.txt', import.meta.url);

test('one product, side by side: what a large screen gets and what a small one', async () => {
  await withEdges(async (ask) => {
    const made = await ask('web', 'POST /api/people', page, ada);
    const cookie = made.headers.get('set-cookie')?.split(';')[0] ?? '';
    const items = [{ productId: 'rice-bowl', quantity: 2 }];
    await ask(
      'web',
      'POST /api/orders',
      { ...page, cookie },
      { key: 'basket-of-the-golden', customer: 'Ada', address: 'Pier 1', items },
    );
    let transcript = '# The same pages, gathered from the same backends, for a large screen and for a small one.\n';
    for (const line of ['GET /api/products/rice-bowl', 'GET /api/orders']) {
      for (const service of ['web', 'mobile'] as const) {
        const { status, json } = await ask(service, line, { cookie });
        const shown = JSON.stringify(json, null, 2)
          .replaceAll(/"id": "[\w-]{22}"/g, '"id": "(an order)"')
          .replaceAll(/"orderedAt": "[^"]+"/g, '"orderedAt": "(a moment)"');
        transcript += `\n$ ${service}: ${line}\n${status}, ${JSON.stringify(json).length} bytes\n${shown}\n`;
      }
    }
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, transcript);
    assert.equal(transcript, readFileSync(golden, 'utf8'));
  });
});
