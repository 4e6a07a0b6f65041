import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, isLoopback, rootPath } from '@flotilla/http';
import { assertRegistryExposure, createAuthenticator, type RegistryToken, type RegistryUser } from './users.ts';

const user = (name: string, parts: Partial<RegistryUser> = {}): RegistryUser => ({
  name,
  password: new Secret(`password of ${name}`),
  role: 'instance',
  ...parts,
});
const users = [
  user('orders'),
  user('shop', { services: ['Catalog', 'web'] }),
  user('anything', { services: ['*'] }),
  user('ops', { role: 'operator' }),
  user('console', { role: 'reader' }),
];
const request = (authorization?: string): HttpRequest => ({
  method: 'GET',
  authority: 'registry',
  path: rootPath,
  query: '',
  headers: new HttpHeaders(authorization === undefined ? [] : [['authorization', authorization]]),
  body: undefined,
});
const basic = (name: string, password: string) =>
  request(`Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`);

test('who sends a name and password of a user is that user', () => {
  const authenticate = createAuthenticator(users);
  assert.equal(authenticate(basic('shop', 'password of shop'), 0).name, 'shop');
  assert.equal(authenticate(request(`bAsIc ${Buffer.from('ops:password of ops').toString('base64')}`), 0).name, 'ops');
});

const strangers: readonly [string, HttpRequest][] = [
  ['nothing', request()],
  ['a wrong password', basic('orders', 'password of shop')],
  ['an unknown name', basic('nobody', 'password of nobody')],
  ['an empty password', basic('orders', '')],
  ['another scheme', request('Bearer abc')],
  ['no base64', request('Basic ***')],
  ['no colon', request(`Basic ${Buffer.from('orders').toString('base64')}`)],
  ['a name that holds the rest', basic('orders\npassword of orders', '')],
  ['8 kB', request(`Basic ${'A'.repeat(8_000)}`)],
];
for (const [name, sent] of strangers) {
  test(`who sends ${name} is nobody, and is told the same`, () => {
    assert.throws(() => createAuthenticator(users)(sent, 0), {
      code: 'UNAUTHENTICATED',
      message: /wants the name and password/,
    });
  });
}

test('an instance speaks for its own services, in any case; an operator for all; a reader for none', () => {
  const authenticate = createAuthenticator(users);
  const may = (name: string, service: string) =>
    authenticate(basic(name, `password of ${name}`), 0).maySpeakFor(service);
  assert.deepEqual([may('orders', 'orders'), may('orders', 'ORDERS'), may('orders', 'web')], [true, true, false]);
  assert.deepEqual([may('shop', 'CATALOG'), may('shop', 'web'), may('shop', 'shop')], [true, true, false]);
  assert.deepEqual([may('anything', 'web'), may('ops', 'web'), may('console', 'console')], [true, true, false]);
});

test('without users everybody may do everything', () => {
  const who = createAuthenticator(undefined)(request(), 0);
  assert.equal(who.isOperator && who.maySpeakFor('anything'), true);
});

test('users that cannot be right are refused at once', () => {
  const rows: readonly [RegistryUser[], RegExp][] = [
    [[user('short', { password: new Secret('eleven char') })], /"short" has 11 characters; it needs at least 12/],
    [[user('twice'), user('twice')], /"twice" is there twice/],
    [[user('a:b')], /"a:b" must be/],
    [[user('')], /user name "" must be/],
  ];
  for (const [list, message] of rows) {
    assert.throws(() => createAuthenticator(list), { code: 'CONFIG_INVALID', message });
  }
});

test('an empty list of users lets nobody in', () => {
  assert.throws(() => createAuthenticator([])(basic('', ''), 0), { code: 'UNAUTHENTICATED' });
});

test('a registry that others can reach needs users; the refusal names the keys', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1']) {
    assert.equal(isLoopback(host), true, host);
    assert.equal(assertRegistryExposure({ host, users: undefined }), undefined);
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'registry.local', '127.0.0.1.example', '1270.0.0.1', '']) {
    assert.equal(isLoopback(host), false, host);
    assert.throws(() => assertRegistryExposure({ host, users: undefined }), {
      code: 'CONFIG_INVALID',
      message: /without credentials.*"registry\.users".*"registry\.bind"/,
    });
    assert.throws(() => assertRegistryExposure({ host, users: [] }), { code: 'CONFIG_INVALID' });
    assertRegistryExposure({ host, users });
  }
});

test('a user serves what its contracts name; any without, and an operator always', () => {
  const password = new Secret('a long password');
  const principal = (parts: Partial<RegistryUser>) => {
    const authenticate = createAuthenticator([{ name: 'orders', role: 'instance', password, ...parts }]);
    const authorization = `Basic ${Buffer.from('orders:a long password').toString('base64')}`;
    return authenticate({ headers: new HttpHeaders([['authorization', authorization]]) } as HttpRequest, 0);
  };
  assert.equal(principal({}).mayServe('anything'), true);
  assert.equal(principal({ contracts: ['order'] }).mayServe('order'), true);
  assert.equal(
    principal({ contracts: ['order'] }).mayServe('Order'),
    false,
    'letter for letter, as callers look for it',
  );
  assert.equal(principal({ contracts: ['order'], role: 'operator' }).mayServe('payment'), true);
});

test('only an explicit switch opens a registry that others reach, and it says so loudly', () => {
  const open = { host: '0.0.0.0', users: undefined, insecureAllowAnybody: true };
  assert.match(assertRegistryExposure(open) ?? '', /^THE REGISTRY IS OPEN: .*"0\.0\.0\.0".*"registry\.users"/);
  assert.equal(assertRegistryExposure({ ...open, host: '127.0.0.1' }), undefined, 'on loopback it changes nothing');
  assert.throws(() => assertRegistryExposure({ ...open, users }), {
    code: 'CONFIG_INVALID',
    message: /"registry\.insecureAllowAnybody" and "registry\.users" exclude each other/,
  });
});

const oldToken = 'b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZCE=';
const newToken = 'bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE=';
const withTokens = (...tokens: readonly RegistryToken[]): RegistryUser => ({
  name: 'orders',
  role: 'instance',
  tokens,
});
const bearer = (token: string) => request(`Bearer ${token}`);

test('a token proves who one is, as a bearer and in the place of a password', () => {
  const authenticate = createAuthenticator([
    withTokens({ secret: new Secret(oldToken) }),
    user('ops', { role: 'operator' }),
  ]);
  assert.equal(authenticate(bearer(oldToken), 0).name, 'orders');
  assert.equal(authenticate(request(`bearer  ${oldToken}`), 0).name, 'orders');
  assert.equal(authenticate(basic('orders', oldToken), 0).name, 'orders', 'what a client of Eureka can send');
  const strange = [
    bearer(newToken),
    basic('ops', oldToken),
    basic('', oldToken),
    bearer('password of ops'),
    bearer(`${oldToken}x`),
    request(`Bearer ${oldToken} x`),
    request('Bearer'),
    request(`Bearer ${'A'.repeat(8_000)}`),
  ];
  for (const sent of strange) assert.throws(() => authenticate(sent, 0), { code: 'UNAUTHENTICATED' });
});

test('two tokens overlap while one replaces the other; each counts from its beginning to right before its end', () => {
  const authenticate = createAuthenticator([
    withTokens({ secret: new Secret(oldToken), notAfter: 2_000 }, { secret: new Secret(newToken), notBefore: 1_000 }),
  ]);
  assert.throws(() => authenticate(bearer(newToken), 999), /does not count before 1970-01-01T00:00:01\.000Z/);
  for (const token of [oldToken, newToken]) {
    assert.equal(authenticate(bearer(token), 1_000).name, 'orders');
    assert.equal(authenticate(bearer(token), 1_999).name, 'orders');
  }
  assert.throws(() => authenticate(bearer(oldToken), 2_000), {
    code: 'UNAUTHENTICATED',
    message: /token of "orders" ended at 1970-01-01T00:00:02\.000Z/,
  });
  assert.equal(authenticate(bearer(newToken), 2_000).name, 'orders');
});

test('a token may be given as its hash; the hash itself is no token', () => {
  const hashed = `sha256:${createHash('sha256').update(oldToken).digest('hex')}`;
  const authenticate = createAuthenticator([withTokens({ secret: new Secret(hashed) })]);
  assert.equal(authenticate(bearer(oldToken), 0).name, 'orders');
  assert.throws(() => authenticate(bearer(hashed), 0), { code: 'UNAUTHENTICATED' });
  assert.throws(() => authenticate(basic('orders', hashed), 0), { code: 'UNAUTHENTICATED' });
});

test('a verified certificate proves who one is; credentials in the head count before it', () => {
  const authenticate = createAuthenticator([
    { name: 'orders', role: 'instance', certificates: ['URI:spiffe://fleet/orders', 'CN=orders'] },
    user('ops', { role: 'operator' }),
  ]);
  const certified = (names: readonly string[], sent = request()): HttpRequest => ({
    ...sent,
    peer: { address: '10.0.0.7', port: 1, encrypted: true, certificate: { names, fingerprint: 'AB' } },
  });
  assert.equal(authenticate(certified(['CN=x', 'URI:spiffe://fleet/orders']), 0).name, 'orders');
  assert.equal(authenticate(certified(['CN=orders'], basic('ops', 'password of ops')), 0).name, 'ops');
  for (const sent of [certified(['CN=other']), certified([]), certified(['CN=orders'], basic('ops', 'wrong'))]) {
    assert.throws(() => authenticate(sent, 0), { code: 'UNAUTHENTICATED' });
  }
});

test('strangers read only where that is allowed, and never more', () => {
  const authenticate = createAuthenticator(users, { allowAnonymousRead: true });
  const who = authenticate(request(), 0);
  assert.deepEqual([who.role, who.isOperator, who.maySpeakFor('anonymous')], ['reader', false, false]);
  assert.throws(() => authenticate({ ...request(), method: 'PUT' }, 0), { code: 'UNAUTHENTICATED' });
  assert.throws(() => authenticate(basic('ops', 'wrong'), 0), { code: 'UNAUTHENTICATED' });
});

test('tokens and certificates that cannot be right are refused at once, without a word of them', () => {
  const token = (notBefore?: number, notAfter?: number, text = oldToken): RegistryToken => ({
    secret: new Secret(text),
    ...(notBefore === undefined ? undefined : { notBefore }),
    ...(notAfter === undefined ? undefined : { notAfter }),
  });
  const third = 'dGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQtdGhpcmQ=';
  const rows: readonly [string, RegistryUser[], RegExp][] = [
    ['nothing to prove it with', [{ name: 'a', role: 'reader' }], /"a" has neither a password nor a token/],
    [
      'a short token',
      [withTokens(token(0, 1, 'short'))],
      /token 1 of the user "orders" must be 32 .* has 5 characters/,
    ],
    ['one letter', [withTokens(token(0, 1, 'a'.repeat(40)))], /32 to 512 random characters/],
    ['an end before the beginning', [withTokens(token(5, 5))], /ends before it begins/],
    [
      'three at one time',
      [withTokens(token(), token(1, undefined, newToken), token(2, 3, third))],
      /3 tokens of the user "orders" count at one time/,
    ],
    [
      'one for two',
      [withTokens(token()), { ...withTokens(token()), name: 'web' }],
      /a token is that of "orders" and of "web"/,
    ],
    ['no name of a certificate', [{ name: 'a', role: 'reader', certificates: ['orders'] }], /must be "CN=…"/],
  ];
  for (const [claim, list, message] of rows) {
    assert.throws(() => createAuthenticator(list), { code: 'CONFIG_INVALID', message }, claim);
    assert.throws(
      () => createAuthenticator(list),
      (error: Error) => !error.message.includes(oldToken),
      claim,
    );
  }
  const chain = withTokens(token(0, 2), token(1, 4, newToken), token(2, 6, third));
  assert.equal(createAuthenticator([chain])(bearer(third), 5).name, 'orders', 'one after the other they may be more');
});

test('a peer passes word on for everybody, speaks for its own services, and is no operator', () => {
  const authenticate = createAuthenticator([user('peer-b', { role: 'peer' })]);
  const who = authenticate(basic('peer-b', 'password of peer-b'), 0);
  assert.deepEqual(
    [who.mayReplicate, who.isOperator, who.maySpeakFor('web'), who.maySpeakFor('peer-b')],
    [true, false, false, true],
  );
});
