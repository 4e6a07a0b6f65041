import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import { createEpoch, formatCursor, parseCursor } from './cursor.ts';

test('a cursor survives its text form', () => {
  const cursor = { epoch: createEpoch(1_800_000_000_000.5, seededRandom(1)), revision: 42 };
  assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
});

test('starts at different times, or at one time with different chance, have different epochs', () => {
  const epochs = [createEpoch(1, seededRandom(1)), createEpoch(2, seededRandom(1)), createEpoch(1, seededRandom(2))];
  assert.equal(new Set(epochs).size, 3);
});
