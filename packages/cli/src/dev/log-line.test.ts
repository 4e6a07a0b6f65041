import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLogLine, paintNothing } from './log-line.ts';
import { startTable } from './start-table.ts';

test('a record is one line for a person: time, process, level, message, fields', () => {
  const record = {
    level: 40,
    time: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    service: 'x',
    msg: 'lease lapsed',
    service_: 'catalog',
    n: 2,
  };
  assert.equal(
    formatLogLine(JSON.stringify(record), 'order.1', 9, 0, paintNothing),
    '03:04:05.006 order.1   warn  lease lapsed service=catalog n=2',
  );
});

test('what is no record of ours is shown as it is', () => {
  assert.equal(formatLogLine('{"half', 'web', 3, 0, paintNothing), '             web {"half');
  assert.equal(formatLogLine('at main.ts:3', 'web', 3, 0, paintNothing), '             web at main.ts:3');
});

test('an error brings its stack', () => {
  const line = formatLogLine(
    '{"level":50,"msg":"failed","err":{"stack":"Error: x\\n  at y"}}',
    'web',
    3,
    0,
    paintNothing,
  );
  assert.match(line, /error failed \nError: x\n {2}at y$/);
});

test('the start table says where to look, or that something is missing', () => {
  const report = {
    fleet: 'shop',
    gateway: 'http://127.0.0.1:8080',
    seconds: 1.234,
    paint: paintNothing,
    rows: [
      { name: 'registry', url: 'http://127.0.0.1:8761', state: 'serving' },
      { name: 'catalog.1', url: '', state: 'waiting' },
    ],
  };
  assert.match(startTable({ ...report, json: false }), /catalog\.1 +waiting\n\n {2}shop is not complete after 1\.2 s/);
  const { serving, seconds } = JSON.parse(startTable({ ...report, rows: report.rows.slice(0, 1), json: true }));
  assert.deepEqual([serving, seconds], [true, 1.23]);
});
