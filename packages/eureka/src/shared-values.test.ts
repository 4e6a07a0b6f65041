import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedValues } from './shared-values.ts';

test('what is known is not made again, what fails is not known, and a full one begins anew', () => {
  const values = new SharedValues<{ readonly text: string }>(2);
  const make = (text: string) => ({ text });
  const a = values.of('a', make);
  assert.equal(values.of('a', make), a);
  const fail = () => {
    throw new Error('no');
  };
  assert.throws(() => values.of('b', fail));
  const b = values.of('b', make);
  values.of('c', make);
  assert.notEqual(values.of('b', make), b);
  assert.deepEqual(values.of('b', make), b);
});
