import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFields } from './call-input.ts';

test('fields are read with a space or an equals sign, repeated ones as a list, a name alone as true', () => {
  assert.deepEqual(
    { ...parseFields(['--id', 'a b', '--tag=x', '--tag', 'y=z', '--dry', '--empty=']) },
    { id: ['a b'], tag: ['x', 'y=z'], dry: ['true'], empty: [''] },
  );
});

test('what is no field is refused by name, and prototypes are out of reach', () => {
  assert.throws(() => parseFields(['id']), { code: 'INVALID_INPUT', message: /"id" is no field/ });
  assert.equal(Object.getPrototypeOf(parseFields(['--__proto__=x'])), null);
});
