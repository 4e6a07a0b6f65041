import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '@flotilla/core';
import type { Issue, Setting } from '../setting.ts';
import { flag, integer, number, oneOf, text, url } from './scalars.ts';
import { secret } from './secret.ts';

function read(setting: Setting<unknown>, value: unknown): unknown {
  const issues: Issue[] = [];
  const result = setting.read(value, [], issues);
  return issues[0]?.message ?? result;
}

describe('settings of one value', () => {
  const rows: [claim: string, setting: Setting<unknown>, value: unknown, expected: unknown][] = [
    ['a text within its length', text({ maxLength: 3 }), 'abc', 'abc'],
    ['a text over its length', text({ maxLength: 3 }), 'abcd', 'must have at most 3 characters'],
    ['a text under its length', text({ minLength: 2 }), 'a', 'must have at least 2 characters'],
    ['a pattern covers the whole text', text({ pattern: /a|b/g }), 'ab', 'must match /^(?:a|b)$/'],
    ['a number is no text', text(), 5, 'must be a text'],
    ['an integer', integer({ min: 1, max: 9 }), 9, 9],
    ['an integer over its range', integer({ min: 1, max: 9 }), 10, 'must be an integer from 1 to 9'],
    ['a fraction is no integer', integer({ min: 1 }), 1.5, 'must be an integer of at least 1'],
    ['an unsafe integer', integer(), 2 ** 53, 'must be an integer'],
    ['a number', number({ max: 1 }), 0.5, 0.5],
    ['not a number', number({ max: 1 }), Number.NaN, 'must be a number of at most 1'],
    ['infinity', number(), Infinity, 'must be a number'],
    ['a flag', flag(), false, false],
    ['a text is no flag', flag(), 'yes', 'must be true or false'],
    ['one of its choices', oneOf(['a', 'b']), 'b', 'b'],
    ['none of its choices', oneOf(['a', 'b']), 'c', 'must be one of "a", "b"'],
    ['a URL', url(), 'http://h:1/x', 'http://h:1/x'],
    ['a URL of another scheme', url(), 'javascript:alert(1)', 'must be a URL that begins with "http://" or "https://"'],
    ['a URL without host', url({ protocols: ['redis'] }), 'redis://', 'redis://'],
    ['no URL', url(), 'http://[', 'must be a URL that begins with "http://" or "https://"'],
    ['an absent value that is required', integer(), undefined, 'is required'],
    ['null counts as absent', integer({ default: 7 }), null, 7],
    ['an optional value', text({ optional: true }), undefined, undefined],
  ];
  for (const [claim, setting, value, expected] of rows) {
    it(claim, () => assert.deepEqual(read(setting, value), expected));
  }

  it('refuses a default that breaks its own rule, when it is written', () => {
    assert.throws(
      () => integer({ default: 0, min: 1 }),
      new TypeError('integer: the default 0 must be an integer of at least 1'),
    );
  });
});

describe('secret', () => {
  it('gives a Secret', () => {
    const value = read(secret(), 'kX9-hj2-qq71-vL');
    assert(value instanceof Secret);
    assert.equal(value.reveal(), 'kX9-hj2-qq71-vL');
  });

  const samples = [
    'changeme',
    'password',
    'secret',
    'CHANGE-ME-PLEASE',
    'my-super-secret-key',
    'Password1234',
    'admin',
  ];
  for (const sample of [...samples, 'aaaaaaaaaaaaaaaa', 'abababababab', '123456789012', 'your_jwt_secret_here']) {
    it(`refuses the sample value "${sample}"`, () => assert.match(String(read(secret(), sample)), /out of examples/));
  }

  it('refuses a short one by its length, never below 12', () => {
    assert.equal(read(secret(), 'kX9-hj2-qq7'), 'must have at least 12 characters');
    assert.equal(read(secret({ minLength: 1 }), 'kX9-hj2-qq7'), 'must have at least 12 characters');
    assert.equal(read(secret({ minLength: 32 }), 'kX9-hj2-qq71-vL'), 'must have at least 32 characters');
  });

  it('answers at once for a long text that is nearly a sample', () => {
    assert(read(secret(), `${'password'.repeat(5_000)}!z`) instanceof Secret);
  });
});
