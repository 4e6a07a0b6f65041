import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Copy, PerCopy, runInCopy } from './copies.ts';

test('code of a copy gets what that copy has, also after waiting', async () => {
  const [one, two]: Copy[] = [{}, {}];
  const value = new PerCopy<string>();
  value.set(one as Copy, 'of one');
  value.set(two as Copy, 'of two');
  const read = async (): Promise<string | undefined> => {
    await new Promise((resolve) => setImmediate(resolve));
    return value.current;
  };
  assert.deepEqual(await Promise.all([runInCopy(one as Copy, read), runInCopy(two as Copy, read)]), [
    'of one',
    'of two',
  ]);
});

test('code of no copy gets what the first one has; a copy without a value gets none of another', () => {
  const value = new PerCopy<string>();
  const [one, two, three]: Copy[] = [{}, {}, {}];
  assert.equal(value.current, undefined);
  value.set(one as Copy, 'of one');
  value.set(two as Copy, 'of two');
  assert.equal(value.current, 'of one');
  assert.equal(
    runInCopy(three as Copy, () => value.current),
    undefined,
  );
  value.delete(one as Copy);
  assert.equal(value.current, 'of two');
  assert.equal(value.get(one as Copy), undefined);
});
