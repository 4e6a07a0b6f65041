import assert from 'node:assert/strict';
import { it } from 'node:test';
import { settle } from '@flotilla/core/testing';
import { Tap } from '../../test/contract-support.ts';
import { dispose, Pump, type PumpTarget } from './pump.ts';

/** Takes what comes until told that it is full. */
class Target implements PumpTarget {
  readonly seen: string[] = [];
  full = false;
  push(chunk: Uint8Array): boolean {
    this.seen.push(Buffer.from(chunk).toString());
    return !this.full;
  }
  end(): void {
    this.seen.push('END');
  }
  fail(thrown: unknown): void {
    this.seen.push(String(thrown));
  }
}

function pumping(gate?: () => Promise<void> | undefined): { tap: Tap; target: Target; pump: Pump } {
  const tap = new Tap();
  const target = new Target();
  const pump = new Pump(tap.body, target, gate);
  pump.start();
  return { tap, target, pump };
}

it('a pump delivers in order and then the end', async () => {
  const { tap, target } = pumping();
  tap.send('a');
  tap.send('b');
  tap.end();
  await settle();
  assert.deepEqual(target.seen, ['a', 'b', 'END']);
});

it('a full target stops it until it is resumed', async () => {
  const { tap, target, pump } = pumping();
  target.full = true;
  for (const piece of ['a', 'b', 'c']) tap.send(piece);
  await settle();
  assert.deepEqual(target.seen, ['a']);
  pump.resume();
  await settle();
  assert.deepEqual(target.seen, ['a', 'b']);
});

it('a failure of the body reaches the target', async () => {
  const { tap, target } = pumping();
  tap.fail(new Error('gone'));
  await settle();
  assert.deepEqual(target.seen, ['Error: gone']);
});

it('stopping leaves the body at once, also while it has nothing to give, and delivers nothing more', async () => {
  const { tap, target, pump } = pumping();
  await settle();
  pump.stop();
  await tap.left;
  tap.send('late');
  tap.fail(new Error('late'));
  await settle();
  assert.deepEqual(target.seen, []);
});

it('a gate holds back chunks and the end alike', async () => {
  const open = Promise.withResolvers<void>();
  const { tap, target } = pumping(() => open.promise);
  tap.send('a');
  tap.end();
  await settle();
  assert.deepEqual(target.seen, []);
  open.resolve();
  await settle();
  assert.deepEqual(target.seen, ['a', 'END']);
});

it('a body that nobody reads is left; what is no stream is nothing to leave', async () => {
  const tap = new Tap();
  dispose(tap.body);
  await tap.left;
  for (const none of [undefined, null, 'text', new Uint8Array(1)]) dispose(none);
});
