import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from './errors.ts';
import { type Component, type ProcessPort, startAll, superviseProcess } from './lifecycle.ts';
import { nullLogger } from './ports/logger.ts';
import { ManualClock, settle } from './testing/index.ts';

function fleet() {
  const events: string[] = [];
  const component = (name: string, fails?: 'start' | 'stop'): Component => ({
    name,
    async start() {
      if (fails === 'start') throw new Error('no disk');
      events.push(`+${name}`);
    },
    async stop() {
      events.push(`-${name}`);
      if (fails === 'stop') throw new Error('stuck');
    },
  });
  return { events, component };
}

test('components start in order and stop in reverse, even when one does not stop cleanly', async () => {
  const { events, component } = fleet();
  const running = await startAll([component('a'), component('b', 'stop'), component('c')], nullLogger);
  await Promise.all([running.stop('test'), running.stop('again')]);
  assert.deepEqual(events, ['+a', '+b', '+c', '-c', '-b', '-a']);
});

test('when one cannot start, those that are up are stopped, and the error names it', async () => {
  const { events, component } = fleet();
  await assert.rejects(startAll([component('a'), component('b'), component('c', 'start')], nullLogger), {
    code: 'START_FAILED',
    message: /"c" could not start: no disk/,
  });
  assert.deepEqual(events, ['+a', '+b', '-b', '-a']);
});

test("a component's own error is not wrapped", async () => {
  const refusing: Component = {
    name: 'listener',
    start: () => Promise.reject(new FlotillaError('ADDRESS_IN_USE', '127.0.0.1:80')),
    stop: async () => {},
  };
  await assert.rejects(startAll([refusing], nullLogger), { code: 'ADDRESS_IN_USE' });
});

function supervised(stop: () => Promise<void>) {
  const listeners = new Map<string, (thrown: unknown) => void>();
  const exits: number[] = [];
  const warnings: unknown[] = [];
  const process: ProcessPort = {
    on: (event: string, listener: (thrown: unknown) => void) => listeners.set(event, listener),
    exit: (code) => void exits.push(code),
  };
  const clock = new ManualClock();
  const logger = { ...nullLogger, warn: (_: string, fields?: object) => void warnings.push(fields) };
  superviseProcess({ stop }, { process, clock, logger, inHand: () => '3 calls' });
  const emit = (event: string, thrown?: unknown): void => listeners.get(event)?.(thrown);
  return { emit, exits, warnings, clock };
}

test('a signal drains, then the process exits with 0', async () => {
  const { emit, exits } = supervised(async () => {});
  emit('SIGTERM');
  assert.deepEqual(exits, []);
  await settle();
  assert.deepEqual(exits, [0]);
});

test('a second signal ends at once and says what was lost', () => {
  const { emit, exits, warnings } = supervised(() => new Promise(() => {}));
  emit('SIGTERM');
  emit('SIGINT');
  assert.deepEqual(exits, [1]);
  assert.deepEqual(warnings, [{ signal: 'SIGINT', lost: '3 calls' }]);
});

test('after an uncaught exception it drains at most 10 s, then exits with 1', async () => {
  const { emit, exits, clock } = supervised(() => new Promise(() => {}));
  emit('uncaughtException', new Error('bug'));
  await clock.advance(9_999);
  assert.deepEqual(exits, []);
  await clock.advance(1);
  assert.deepEqual(exits, [1]);
});

test('when stopping fails the exit code says so', async () => {
  const { emit, exits } = supervised(() => Promise.reject(new Error('stuck')));
  emit('SIGTERM');
  await settle();
  assert.deepEqual(exits, [1]);
});
