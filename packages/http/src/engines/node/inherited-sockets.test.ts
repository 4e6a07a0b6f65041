import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inheritedSockets } from './index.ts';

const rows: readonly [string, Record<string, string | undefined>, [string, number][]][] = [
  ['nothing is handed over', {}, []],
  ['one socket without a name', { LISTEN_PID: '7', LISTEN_FDS: '1' }, [['fd3', 3]]],
  [
    'named sockets',
    { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:management' },
    [
      ['http', 3],
      ['management', 4],
    ],
  ],
  [
    'fewer names than sockets',
    { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'http' },
    [
      ['http', 3],
      ['fd4', 4],
    ],
  ],
  [
    'one name twice',
    { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:http' },
    [
      ['http', 3],
      ['fd4', 4],
    ],
  ],
  ['sockets of another process', { LISTEN_PID: '8', LISTEN_FDS: '1' }, []],
  ['no process named', { LISTEN_FDS: '1' }, []],
  ['a count that is none', { LISTEN_PID: '7', LISTEN_FDS: '-1' }, []],
];

for (const [name, env, expected] of rows) {
  it(`inherited sockets: ${name}`, () => assert.deepEqual([...inheritedSockets(env, 7)], expected));
}

it('inherited sockets: an absurd count is bounded', () => {
  assert.equal(inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '9999' }, 7).size, 1_024);
});
