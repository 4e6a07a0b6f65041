import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { KnownRecords } from './known-records.ts';
import { Renewals } from './renewals.ts';

function world() {
  const clock = new ManualClock();
  const known = new KnownRecords();
  const published: string[] = [];
  const place = { isOpen: true, fails: false };
  const publish = async (text: string): Promise<void> => {
    if (place.fails) throw new FlotillaError('UNAVAILABLE', 'no leader');
    published.push(text);
  };
  const renewals = new Renewals({ engine: { publish }, known, clock, isOpen: () => place.isOpen });
  return { clock, known, published, place, renewals };
}

test('once a second the records that were renewed are told, each once, and only leases', async () => {
  const { clock, known, published, renewals } = world();
  known.learn('orders\na', 1_000, 'lease', 1);
  known.learn('orders\nb', 1_001, 'lease', 2);
  known.learn('orders\nc', 1_002, 'gone', -1);
  renewals.start();
  for (const id of ['b', 'a', 'a', 'c', 'unknown']) renewals.add(`orders\n${id}`);
  assert.equal(renewals.has('orders\na'), true);
  await clock.advance(1_000);
  assert.deepEqual(published, ['1 rs.1']);
  assert.equal(renewals.has('orders\na'), false);
  await clock.advance(5_000);
  assert.equal(published.length, 1, 'nothing is told of nothing');
  renewals.stop();
});

test('what could not be told waits for the next time', async () => {
  const { clock, known, published, place, renewals } = world();
  known.learn('orders\na', 7, 'lease', 1);
  renewals.start();
  renewals.add('orders\na');
  place.fails = true;
  await clock.advance(1_000);
  assert.equal(renewals.has('orders\na'), true);
  place.fails = false;
  place.isOpen = false;
  await clock.advance(1_000);
  assert.deepEqual(published, []);
  place.isOpen = true;
  await clock.advance(1_000);
  assert.deepEqual(published, ['1 7']);
  renewals.stop();
});

test('a bulletin renews what is still as its node saw it', () => {
  const { known, renewals } = world();
  known.learn('orders\na', 7, 'lease', 1);
  known.learn('orders\nb', 9, 'lease', 1);
  known.learn('orders\nb', 11, 'lease', 2);
  assert.deepEqual([...renewals.read('1 7.2')], ['orders\na']);
  assert.deepEqual([...renewals.read('1 7.2.2')], ['orders\na', 'orders\nb']);
  assert.deepEqual([...renewals.read('9 7')], []);
});
