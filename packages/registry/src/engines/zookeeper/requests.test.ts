import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { JuteReader } from './jute.ts';
import { codeOf, zookeeperCode } from './protocol.ts';
import { type Request, Requests } from './requests.ts';

const nothing = new JuteReader(Buffer.alloc(0));
const broken = new FlotillaError('CONNECTION_LOST', 'it broke');

/** A request whose outcome can be read. */
function asked(what: string, { repeatable = false, deadline = 1_000, bytes = 0 } = {}) {
  const outcome: { value?: unknown; error?: FlotillaError } = {};
  const request: Request = {
    type: 1,
    what,
    repeatable,
    deadline,
    write: (writer) => writer.buffer(Buffer.alloc(bytes)),
    read: (_reader, zxid) => `${what} at ${zxid}`,
    resolve: (value) => {
      outcome.value = value;
    },
    reject: (error) => {
      outcome.error = error;
    },
  };
  return { request, outcome };
}

/** Numbers of the frames that were put. */
function wire() {
  const numbers: number[] = [];
  return { numbers, put: (frame: Buffer) => void numbers.push(frame.readInt32BE(4)) };
}

test('each answer goes to its own request; what is refused says what and why', () => {
  const requests = new Requests();
  const { numbers, put } = wire();
  const [read, write] = [asked('read /a'), asked('create /b')];
  for (const { request } of [read, write]) requests.send(request, put);
  assert.deepEqual(numbers, [1, 2]);
  requests.answered(1, 7, 0, nothing);
  requests.answered(2, 8, zookeeperCode.nodeExists, nothing);
  assert.equal(read.outcome.value, 'read /a at 7');
  assert.equal(codeOf(write.outcome.error), zookeeperCode.nodeExists);
  assert.match(write.outcome.error?.message ?? '', /refused to create \/b/);
});

test('an answer that is not due is no answer', () => {
  const requests = new Requests();
  assert.throws(() => requests.answered(1, 7, 0, nothing), /one to none was due/);
  requests.send(asked('read /a').request, wire().put);
  assert.throws(() => requests.answered(2, 7, 0, nothing), /one to 1 was due/);
});

test('when the connection breaks, what only reads is sent again first, and what writes has an unknown outcome', () => {
  const requests = new Requests();
  const { numbers, put } = wire();
  const [read, write, late] = [asked('read /a', { repeatable: true }), asked('create /b'), asked('create /c')];
  requests.send(read.request, put);
  requests.send(write.request, put);
  requests.wait(late.request);
  requests.lost(broken);
  assert.equal(write.outcome.error?.executed, 'unknown');
  assert.deepEqual([read.outcome, late.outcome], [{}, {}]);
  assert.equal(requests.firstDeadline, Infinity);
  requests.sendWaiting(put);
  assert.deepEqual(numbers, [1, 2, 3, 4]);
  requests.answered(3, 9, 0, nothing);
  assert.equal(read.outcome.value, 'read /a at 9');
});

test('a user that is refused ends everything, since another connection changes nothing', () => {
  const requests = new Requests();
  const [read, late] = [asked('read /a', { repeatable: true }), asked('create /c')];
  requests.send(read.request, wire().put);
  requests.wait(late.request);
  requests.lost(new FlotillaError('UNAUTHENTICATED', 'refused'));
  assert.deepEqual(
    [read, late].map(({ outcome }) => outcome.error?.code),
    ['UNAUTHENTICATED', 'UNAUTHENTICATED'],
  );
});

test('what waits for a connection ends at its deadline, and was certainly not done', () => {
  const requests = new Requests();
  const [early, late] = [asked('read /a', { deadline: 100 }), asked('read /b', { deadline: 200 })];
  for (const { request } of [early, late]) requests.wait(request);
  requests.expire(100, 'nobody is there');
  assert.equal(early.outcome.error?.executed, 'no');
  assert.match(early.outcome.error?.message ?? '', /CONNECT_FAILED: cannot read \/a: nobody is there/);
  assert.deepEqual(late.outcome, {});
  requests.end(broken);
  assert.equal(late.outcome.error, broken);
});

test('what is over the limit of the servers is not sent', () => {
  const requests = new Requests();
  const { numbers, put } = wire();
  const { request, outcome } = asked('write /a', { bytes: 0xfffff });
  requests.send(request, put);
  assert.deepEqual([numbers, outcome.error?.code], [[], 'INVALID_INPUT']);
});
