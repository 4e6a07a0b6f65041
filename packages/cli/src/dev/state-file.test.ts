import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseState } from './state-file.ts';

test('a state is read field by field; what is not one is nothing', () => {
  const process = { name: 'web', title: 'web', state: 'serving', pid: 7, url: 'http://a', managementUrl: null };
  const state = { fleet: 'shop', pid: 1, registry: 'http://r', gateway: 'http://g', processes: [process] };
  assert.deepEqual(parseState(JSON.stringify(state)), state);
  for (const text of ['', '{', '[]', 'null', '{"fleet":"shop"}', JSON.stringify({ ...state, pid: 'x' })]) {
    assert.equal(parseState(text), undefined, text);
  }
});
