import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, isLoopback, rootPath } from '@flotilla/http';
import { assertRegistryExposure, createAuthenticator, type RegistryUser } from './users.ts';

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
  assert.equal(authenticate(basic('shop', 'password of shop')).name, 'shop');
  assert.equal(authenticate(request(`bAsIc ${Buffer.from('ops:password of ops').toString('base64')}`)).name, 'ops');
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
    assert.throws(() => createAuthenticator(users)(sent), {
      code: 'UNAUTHENTICATED',
      message: /wants the name and password/,
    });
  });
}

test('an instance speaks for its own services, in any case; an operator for all; a reader for none', () => {
  const authenticate = createAuthenticator(users);
  const may = (name: string, service: string) => authenticate(basic(name, `password of ${name}`)).maySpeakFor(service);
  assert.deepEqual([may('orders', 'orders'), may('orders', 'ORDERS'), may('orders', 'web')], [true, true, false]);
  assert.deepEqual([may('shop', 'CATALOG'), may('shop', 'web'), may('shop', 'shop')], [true, true, false]);
  assert.deepEqual([may('anything', 'web'), may('ops', 'web'), may('console', 'console')], [true, true, false]);
});

test('without users everybody may do everything', () => {
  const who = createAuthenticator(undefined)(request());
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
  assert.throws(() => createAuthenticator([])(basic('', '')), { code: 'UNAUTHENTICATED' });
});

test('a registry that others can reach needs users; the refusal names the keys', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1']) {
    assert.equal(isLoopback(host), true, host);
    assertRegistryExposure(host, undefined);
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'registry.local', '127.0.0.1.example', '1270.0.0.1', '']) {
    assert.equal(isLoopback(host), false, host);
    assert.throws(() => assertRegistryExposure(host, undefined), {
      code: 'CONFIG_INVALID',
      message: /without credentials.*"registry\.users".*"registry\.bind"/,
    });
    assert.throws(() => assertRegistryExposure(host, []), { code: 'CONFIG_INVALID' });
    assertRegistryExposure(host, users);
  }
});

test('a user serves what its contracts name; any without, and an operator always', () => {
  const password = new Secret('a long password');
  const principal = (parts: Partial<RegistryUser>) => {
    const authenticate = createAuthenticator([{ name: 'orders', role: 'instance', password, ...parts }]);
    const authorization = `Basic ${Buffer.from('orders:a long password').toString('base64')}`;
    return authenticate({ headers: new HttpHeaders([['authorization', authorization]]) } as HttpRequest);
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
