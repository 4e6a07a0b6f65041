import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Utilisation } from './utilisation.ts';

test('what an instance says counts, fades, and is replaced', () => {
  const utilisation = new Utilisation();
  assert.equal(utilisation.at(0, 5_000), 0);
  utilisation.report(0.8, 0);
  assert.equal(utilisation.at(0, 5_000), 0.8);
  assert.ok(utilisation.at(5_000, 5_000) < 0.3);
  utilisation.report(0, 5_000);
  assert.ok(utilisation.at(5_000, 5_000) > 0, 'an idle loop is known to be idle');
});

test('what is no share is not believed', () => {
  const utilisation = new Utilisation();
  for (const share of [-0.1, 1.1, Number.NaN, Infinity]) utilisation.report(share, 0);
  assert.equal(utilisation.at(0, 5_000), 0);
});
