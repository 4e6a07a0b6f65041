import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JuteReader, JuteWriter } from './jute.ts';
import { codeOf, op, zookeeperCode } from './protocol.ts';
import { readSteps, writeSteps } from './steps.ts';

test('steps are written each behind its header, and a last header ends them', () => {
  const writer = new JuteWriter();
  writeSteps(
    writer,
    [
      { kind: 'check', path: '/a', version: 3 },
      { kind: 'set', path: '/b', data: 'x' },
    ],
    'open',
  );
  const reader = new JuteReader(writer.frame().subarray(4));
  const header = () => [reader.int(), reader.bool(), reader.int()];
  assert.deepEqual(header(), [op.check, false, -1]);
  assert.deepEqual([reader.text(), reader.int()], ['/a', 3]);
  assert.deepEqual(header(), [op.setData, false, -1]);
  assert.deepEqual([reader.text(), reader.text(), reader.int()], ['/b', 'x', -1]);
  assert.deepEqual(header(), [-1, true, -1]);
  assert.equal(reader.left, 0);
});

test('of steps that failed the one tells that failed first, not those that were not done because of it', () => {
  const writer = new JuteWriter();
  const { runtimeInconsistency, badVersion } = zookeeperCode;
  for (const code of [0, badVersion, runtimeInconsistency]) writer.int(-1).bool(false).int(code).int(code);
  writer.int(-1).bool(true).int(-1);
  const read = () => readSteps(new JuteReader(writer.frame().subarray(4)), 'set /a, set /b, set /c');
  assert.throws(read, (error) => codeOf(error) === badVersion);
});
