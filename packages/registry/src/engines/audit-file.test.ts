import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AuditEntry } from '../server/audit.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { auditFile, auditFileDefaults, verifyAuditLines } from './audit-file.ts';

const entry = (action: string): AuditEntry => ({
  at: 1,
  who: 'ops',
  role: 'operator',
  address: '10.0.0.1',
  action,
  outcome: 'done',
  target: 'orders a',
});

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'flotilla-audit-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

const linesOf = async (path: string) => (await readFile(path, 'utf8')).trimEnd().split('\n');

test('entries are lines of a file that its owner alone reads; the chain goes on over a restart', async (t) => {
  const path = join(await folder(t), 'audit.jsonl');
  for (const actions of [['one', 'two'], ['three']]) {
    const sink = auditFile({ path });
    for (const action of actions) sink.append(entry(action));
    await sink.close();
  }
  const lines = await linesOf(path);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).action),
    ['one', 'two', 'three'],
  );
  assert.equal(verifyAuditLines(lines, '0'.repeat(64)), undefined);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a line that was changed, taken out or put in shows', async (t) => {
  const path = join(await folder(t), 'audit.jsonl');
  const sink = auditFile({ path });
  for (const action of ['a', 'b', 'c', 'd']) sink.append(entry(action));
  await sink.close();
  const lines = await linesOf(path);
  const [a = '', b = '', c = '', d = ''] = lines;
  assert.equal(verifyAuditLines([a, b.replace('"ops"', '"bob"'), c, d]), 2);
  assert.equal(verifyAuditLines([a, c, d]), 2);
  assert.equal(verifyAuditLines([a, b, b, c, d]), 3);
  assert.equal(verifyAuditLines([b, c, d], '0'.repeat(64)), 1);
  assert.equal(verifyAuditLines([a, '{"at":1}', c]), 2);
});

test('a full file becomes the first of the old ones, the oldest goes, the chain goes on', async (t) => {
  const directory = await folder(t);
  const path = join(directory, 'audit.jsonl');
  for (let round = 0; round < 5; round++) {
    const sink = auditFile({ path, maxBytes: 500, keepFiles: 2 });
    sink.append(entry(`round ${round}`));
    await sink.close();
  }
  assert.deepEqual((await readdir(directory)).sort(), ['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2']);
  const all = [...(await linesOf(`${path}.2`)), ...(await linesOf(`${path}.1`)), ...(await linesOf(path))];
  assert.equal(verifyAuditLines(all), undefined);
  assert.equal(JSON.parse(all.at(-1) ?? '').action, 'round 4');
  assert.equal(all.length < 5, true, 'the oldest are gone');
});

test('a line that a crash cut short is left as it is, and the next one stands alone', async (t) => {
  const path = join(await folder(t), 'audit.jsonl');
  await writeFile(path, '{"at":1,"who":"o');
  const sink = auditFile({ path });
  sink.append(entry('after'));
  await sink.close();
  const [cut, after] = await linesOf(path);
  assert.equal(cut, '{"at":1,"who":"o');
  assert.equal(JSON.parse(after ?? '').action, 'after');
});

test('a disk that refuses is said once, and what waited is written when it takes again', async (t) => {
  const directory = await folder(t);
  const path = join(directory, 'missing', 'audit.jsonl');
  const logger = recordingLogger();
  const sink = auditFile({ path, logger });
  sink.append(entry('one'));
  await sink.close();
  sink.append(entry('two'));
  await sink.close();
  assert.deepEqual(
    logger.lines.map(({ level }) => level),
    ['error'],
  );
  await mkdir(join(directory, 'missing'));
  sink.append(entry('three'));
  await sink.close();
  const lines = await linesOf(path);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).action),
    ['one', 'two', 'three'],
  );
  assert.equal(verifyAuditLines(lines), undefined);
  assert.equal(logger.lines.at(-1)?.message, 'the audit log is written again');
});

test('the defaults of an audit file', () => {
  assert.deepEqual(auditFileDefaults, { maxBytes: 16_777_216, keepFiles: 9 });
});
