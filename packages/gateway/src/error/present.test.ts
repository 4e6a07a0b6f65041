import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, type HttpRequest, type HttpResponse } from '@flotilla/http';
import type { DeveloperView } from './developer-view.ts';
import { wantsPage } from './negotiate.ts';
import { escapeHtml } from './page.ts';
import { isDeveloper, presentError } from './present.ts';

const text = ({ body }: HttpResponse): string => Buffer.from(body as Uint8Array).toString();
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

describe('a page is for who names HTML', () => {
  const rows: readonly (readonly [accept: string | undefined, page: boolean])[] = [
    [browser, true],
    ['text/html', true],
    ['text/*', true],
    ['TEXT/HTML;level=1', false],
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['application/json', false],
    ['application/problem+json', false],
    ['application/json, text/html;q=0.9', false],
    ['text/html;q=0.9, application/json', false],
    ['text/html, application/json', false],
    ['text/html, application/json;q=0.9', true],
    ['text/html;q=0', false],
    ['text/html;q=0.5, */*', false],
    ['text/html, */*;q=0.1', true],
    ['image/png', false],
    ['nonsense', false],
  ];
  for (const [accept, page] of rows)
    it(`${accept ?? 'no wish'}: ${page ? 'page' : 'problem'}`, () => assert.equal(wantsPage(accept), page));
});

describe('what an outsider is told', () => {
  const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
  const secret = new FlotillaError('NO_INSTANCE', 'no instance of "billing" at 10.0.0.7:9000', {
    retryAfterMs: 1_500,
    data: { service: 'billing' },
    cause: new Error('at /srv/app/secret.ts:1'),
  });

  for (const accept of [browser, undefined]) {
    it(`holds status, sentence, trace and hint, and nothing of the inside (${accept ? 'page' : 'problem'})`, () => {
      const answer = presentError(secret, { accept, call });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get('retry-after'), '2');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(text(answer), /billing|10\.0\.0\.7|secret|\.ts/);
      assert.ok(text(answer).includes(call.trace.traceId));
    });
  }

  it('as a page is whole in itself: one style that its policy names, no script, nothing loaded', () => {
    const answer = presentError(secret, { accept: browser, call });
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(
      answer.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    const page = text(answer);
    assert.doesNotMatch(page, /<script|src=|href=|url\(|@import|\son[a-z]+=/i);
    assert.match(page, /<html lang="en">[\s\S]*<title>503 Service Unavailable<\/title>[\s\S]*<main>[\s\S]*<h1>/);
    assert.match(page, /try again in about 2 seconds/);
    assert.doesNotMatch(page, /NO_INSTANCE/);
  });

  it('of the platform’s own construction is an INTERNAL error', () => {
    const answer = presentError(new FlotillaError('CONFIG_INVALID', 'secret'), { accept: undefined, call });
    assert.deepEqual([answer.status, JSON.parse(text(answer)).code], [500, 'INTERNAL']);
  });
});

describe('what a developer is told', () => {
  const hostile = `<script>alert("1")</script>&'\u0000\u001b[31m`;
  const view: DeveloperView = {
    reason: hostile,
    causes: [hostile],
    request: hostile,
    elapsedMs: 1,
    route: hostile,
    to: hostile,
    nearest: [{ id: hostile, matches: false, reason: hostile }],
    instances: [
      { id: hostile, address: hostile, status: hostile, ejectedForMs: 0, calls: 0, failures: 0, tried: true },
    ],
    attempts: [{ instance: hostile, address: hostile, afterMs: 0, tookMs: 0, outcome: hostile }],
    next: hostile,
  };

  it('is escaped wherever it stands', () => {
    const page = text(presentError(new FlotillaError('NO_ROUTE', 'x'), { accept: browser, developer: view }));
    assert.doesNotMatch(page, /<script|alert\("1"\)/);
    assert.ok(!page.includes('\u0000') && !page.includes('\u001b'));
    assert.ok(page.split(escapeHtml(hostile)).length - 1 >= 12, 'every text stands there, escaped');
  });

  it('is a member of the problem document, beside the true reason', () => {
    const error = new FlotillaError('NO_ROUTE', 'the true reason');
    const document = JSON.parse(text(presentError(error, { accept: undefined, developer: view })));
    assert.deepEqual([document.code, document.status, document.detail], ['NO_ROUTE', 404, 'the true reason']);
    assert.deepEqual(document.developer, view);
  });
});

describe('the developer of this machine', () => {
  const request = (parts: { address?: string; authority?: string; headers?: [string, string][] }): HttpRequest => ({
    method: 'GET',
    authority: parts.authority ?? 'localhost:8080',
    path: { text: '/', segments: [] },
    query: '',
    headers: new HttpHeaders(parts.headers),
    body: undefined,
    peer: { address: parts.address ?? '127.0.0.1', port: 1, encrypted: false },
  });
  const rows: readonly (readonly [string, Parameters<typeof request>[0], boolean])[] = [
    ['asks over the loopback', {}, true],
    ['asks over the loopback of IPv6', { address: '::1', authority: '[::1]:8080' }, true],
    ['asks by an address', { authority: '127.0.0.1:8080' }, true],
    ['asks by a name under localhost', { authority: 'shop.localhost:8080' }, true],
    ['is not on another machine', { address: '10.0.0.1' }, false],
    ['does not ask by a name that may be rebound', { authority: 'evil.example:8080' }, false],
    ['does not ask by a name that begins like it', { authority: 'localhost.evil.example' }, false],
    ['does not come through a tunnel', { headers: [['x-forwarded-for', '203.0.113.9']] }, false],
    [
      'does not come through a tunnel that says it in the standard’s words',
      { headers: [['forwarded', 'for=203.0.113.9']] },
      false,
    ],
    ['does not come through another proxy', { headers: [['via', '1.1 x']] }, false],
    ['is not whoever claims to be', { address: '10.0.0.1', headers: [['x-developer', 'true']] }, false],
  ];
  for (const [name, parts, is] of rows) it(name, () => assert.equal(isDeveloper(request(parts)), is));
});
