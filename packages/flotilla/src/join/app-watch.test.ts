import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, type Logger, nullLogger } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { AppWatch } from './app-watch.ts';
import { joinLog } from './log.ts';

const place: Address = { protocol: 'http', host: '127.0.0.1', port: 3_000 };
const config = { path: '/health', intervalMs: 5_000, timeoutMs: 2_000, upAfter: 2, downAfter: 3 };

/** A watch over an app that answers what the test says; without jitter. */
function watching() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const changes: string[] = [];
  const write = (message: string, fields: object = {}): void =>
    void lines.push(`${message}: ${(fields as { reason?: string }).reason ?? ''}`);
  const logger: Logger = { ...nullLogger, info: write, warn: write };
  const app = { failure: undefined as string | undefined, address: place as Address | undefined, asked: 0 };
  const watch = new AppWatch({
    config,
    address: () => app.address,
    check: async () => {
      app.asked++;
      return app.failure;
    },
    changed: ({ status }, at) => void changes.push(`${status}${at ? '' : ' without address'}`),
    clock,
    random: () => 0.5,
    log: joinLog(logger),
  });
  return { clock, app, watch, lines, changes };
}

test('an app that is coming up is asked four times a second, one that is up each interval', async () => {
  const { clock, app, watch, changes } = watching();
  app.failure = 'refused';
  await watch.start();
  await clock.advance(1_000);
  assert.equal(app.asked, 5);
  app.failure = undefined;
  await clock.advance(250);
  assert.deepEqual(changes, ['starting', 'up']);
  await clock.advance(10_000);
  assert.equal(app.asked, 8);
  await watch.stop();
  assert.equal(clock.pendingTimers, 0);
  await clock.advance(10_000);
  assert.equal(app.asked, 8);
});

test('a reason is told once, and not before the third failed check; a new one is told again', async () => {
  const { clock, app, watch, lines } = watching();
  app.failure = 'refused';
  await watch.start();
  await clock.advance(400);
  assert.deepEqual(lines, []);
  await clock.advance(2_000);
  app.failure = 'answered 500';
  await clock.advance(2_000);
  const told = 'the app is not up yet; nobody is sent to it';
  assert.deepEqual(lines, [`${told}: refused`, `${told}: answered 500`]);
  await watch.stop();
});

test('the address is told when it is first known, and its loss is a failed check', async () => {
  const { clock, app, watch, changes } = watching();
  app.address = undefined;
  await watch.start();
  await clock.advance(1_000);
  assert.deepEqual([app.asked, changes], [0, []]);
  app.address = place;
  await clock.advance(250);
  assert.deepEqual(changes, ['starting', 'up']);
  app.address = undefined;
  await clock.advance(15_000);
  assert.deepEqual(changes, ['starting', 'up', 'down without address']);
  await watch.stop();
});
