import assert from 'node:assert/strict';
import { it } from 'node:test';
import { errorTable } from '@flotilla/core';
import { platformCodes } from './platform-codes.ts';

it('the copy of the platform codes equals the table of core', () => {
  assert.deepEqual([...platformCodes].sort(), Object.keys(errorTable).sort());
});
