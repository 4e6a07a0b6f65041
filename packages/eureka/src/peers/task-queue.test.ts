import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Task, type TaskKind, TaskQueue } from './task-queue.ts';

const task = (kind: TaskKind, id: string, expiresAt = 1_000): Task => ({ kind, key: { service: 's', id }, expiresAt });
const names = (tasks: readonly Task[]): string[] => tasks.map(({ kind, key }) => `${kind} ${key.id}`);

test('changes keep their order and go before renewals', () => {
  const queue = new TaskQueue(10);
  queue.offer(task('heartbeat', 'a'), 0);
  queue.offer(task('register', 'b'), 1);
  queue.offer(task('override', 'b'), 2);
  assert.deepEqual(queue.waitingSince, { change: 1, renewal: 0 });
  assert.deepEqual(names(queue.take(10, 3)), ['register b', 'override b', 'heartbeat a']);
  assert.equal(queue.size, 0);
});

test('a newer task of the same kind takes the place of the one that waits', () => {
  const queue = new TaskQueue(10);
  queue.offer(task('register', 'a', 10), 0);
  queue.offer(task('register', 'b'), 1);
  queue.offer(task('register', 'a', 1_000), 2);
  assert.deepEqual(names(queue.take(10, 500)), ['register a', 'register b']);
  assert.deepEqual(queue.lost, { expired: 0, overflowed: 0 });
});

test('who leaves needs no other task, and may come again after it', () => {
  const queue = new TaskQueue(10);
  for (const kind of ['register', 'override', 'heartbeat', 'cancel', 'register'] as const)
    queue.offer(task(kind, 'a'), 0);
  assert.deepEqual(names(queue.take(10, 1)), ['cancel a', 'register a']);
});

test('a task is not sent at its exact expiry', () => {
  const queue = new TaskQueue(10);
  queue.offer(task('register', 'a', 1_000), 0);
  queue.offer(task('register', 'b', 1_001), 0);
  assert.deepEqual(names(queue.take(10, 1_000)), ['register b']);
  assert.equal(queue.lost.expired, 1);
});

test('a full queue drops renewals for changes, then the oldest change, and takes no renewal', () => {
  const queue = new TaskQueue(2);
  queue.offer(task('heartbeat', 'a'), 0);
  queue.offer(task('register', 'b'), 0);
  queue.offer(task('register', 'c'), 0);
  queue.offer(task('heartbeat', 'd'), 0);
  queue.offer(task('register', 'e'), 0);
  assert.deepEqual(names(queue.take(10, 1)), ['register c', 'register e']);
  assert.equal(queue.lost.overflowed, 3);
});

test('what is put back goes first, except where it is superseded, expired, or too much', () => {
  const queue = new TaskQueue(4);
  queue.offer(task('register', 'new'), 5);
  queue.offer(task('register', 'again'), 5);
  queue.offer(task('cancel', 'gone'), 5);
  const back = [
    task('register', 'again'),
    task('register', 'gone'),
    task('register', 'late', 5),
    task('register', 'old'),
    task('register', 'much'),
  ];
  queue.putBack(back, 5);
  assert.deepEqual(names(queue.take(10, 6)), ['register old', 'register new', 'register again', 'cancel gone']);
  assert.deepEqual(queue.lost, { expired: 1, overflowed: 1 });
});
