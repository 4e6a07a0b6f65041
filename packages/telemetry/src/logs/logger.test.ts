import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, FlotillaError, type LogFields, runInCall, Secret } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { createLogger, type LoggerOptions } from './logger.ts';
import { fromPino, type PinoLike } from './pino.ts';

function logging(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const logger = createLogger({ clock: new ManualClock(), write: (line) => lines.push(line), ...options });
  return { logger, lines };
}

/** The fields of one line, without level, time and message. */
function written(fields: LogFields): Record<string, unknown> {
  const { logger, lines } = logging();
  logger.info('m', fields);
  assert.equal(lines.length, 1);
  const { level: _level, time: _time, msg: _msg, ...rest } = JSON.parse(lines[0] ?? '');
  return rest;
}

describe('createLogger', () => {
  it('writes pino’s shape: level as a number, time in epoch milliseconds, msg, fields beside them', () => {
    const { logger, lines } = logging({ level: 'debug', fields: { service: 'catalog', pid: 7 } });
    logger.debug('a');
    logger.child({ part: 'x' }).error('lease evicted', { overdueMs: 5 });
    assert.deepEqual(lines, [
      '{"level":20,"time":1767225600000,"msg":"a","service":"catalog","pid":7}',
      '{"level":50,"time":1767225600000,"msg":"lease evicted","service":"catalog","pid":7,"part":"x","overdueMs":5}',
    ]);
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = logging({ level: 'warn' });
    logger.debug('a');
    logger.info('b');
    logger.warn('c');
    logger.error('d');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).msg),
      ['c', 'd'],
    );
  });

  it('adds trace and span of the call that the code works for', () => {
    const { logger, lines } = logging();
    const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
    runInCall(call, () => logger.info('in'));
    logger.info('out');
    const [inside, outside] = lines.map((line) => JSON.parse(line));
    assert.equal(inside.traceId, call.trace.traceId);
    assert.equal(inside.spanId, call.trace.spanId);
    assert(!('traceId' in outside));
  });

  it('does not let a field stand in for a part of the line', () => {
    const { logger, lines } = logging({ fields: { service: 'catalog' } });
    logger.info('real', { msg: 'forged', level: 60, service: 'orders' });
    const { msg, level, service, msg_, level_, service_ } = JSON.parse(lines[0] ?? '');
    assert.deepEqual([msg, level, service, msg_, level_, service_], ['real', 30, 'catalog', 'forged', 60, 'orders']);
  });

  it('masks secrets by type and by name, at every depth', () => {
    const fields = {
      key: new Secret('hunter2'),
      password: 'hunter2',
      headers: { Authorization: 'hunter2', 'set-cookie': ['hunter2'], accept: 'x' },
      list: [{ access_token: 'hunter2' }],
      tokens: 5,
    };
    const text = JSON.stringify(written(fields));
    assert(!text.includes('hunter2'), text);
    assert.deepEqual(written(fields)['headers'], { Authorization: '***', 'set-cookie': '***', accept: 'x' });
    assert.equal(written(fields)['tokens'], 5);
  });

  it('turns a cause into err with type, message, stack and what led to it', () => {
    const cause = new FlotillaError('STORE_FAILED', 'disk', { cause: new TypeError('inner') });
    const { err } = written({ cause }) as { err: Record<string, unknown> };
    assert.equal(err['type'], 'FlotillaError');
    assert.equal(err['message'], 'STORE_FAILED: disk');
    assert.equal(err['code'], 'STORE_FAILED');
    assert.match(String(err['stack']), /^FlotillaError: STORE_FAILED: disk\n {4}at /);
    assert.equal((err['cause'] as Record<string, unknown>)['message'], 'inner');
    assert.deepEqual(written({ cause: 'text' }), { err: 'text' });
  });

  it('bounds each field to 2 000 characters and a line to 64 fields', () => {
    assert.equal(String(written({ a: 'x'.repeat(5_000) })['a']).length <= 2_000, true);
    assert.match(String(written({ a: 'x'.repeat(5_000) })['a']), /^x{1980}… \(5000 chars\)$/);
    assert.equal(typeof written({ a: Array(60).fill('y'.repeat(100)) })['a'], 'string');
    const large = new Error('m'.repeat(5_000));
    assert(JSON.stringify(written({ cause: large })['err']).length <= 2_300);
    const many = written(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i])));
    assert.equal(Object.keys(many).length, 65);
    assert.equal(many['fieldsLeftOut'], true);
  });

  it('never throws, whatever it is given', () => {
    const circle: Record<string, unknown> = { name: 'c' };
    circle['self'] = circle;
    const hostile = {
      circle,
      big: 10n,
      fn: () => 1,
      symbol: Symbol('s'),
      nan: Number.NaN,
      bytes: new Uint8Array(3),
      map: new Map([[1, 2]]),
      date: new Date(0),
      invalidDate: new Date(Number.NaN),
      absent: undefined,
      nothing: null,
      deep: { a: { b: { c: { d: { e: { f: 1 } } } } } },
      proxy: new Proxy({}, { ownKeys: () => assert.fail('own keys'), get: () => assert.fail('get') }),
      json: {
        toJSON() {
          throw new Error('no');
        },
      },
      get thrower() {
        throw new Error('getter');
      },
    };
    assert.deepEqual(written(hostile), {
      circle: { name: 'c', self: '[circular]' },
      big: '10',
      fn: '[function]',
      symbol: '[symbol]',
      nan: 'NaN',
      bytes: '[Uint8Array of 3 bytes]',
      map: '[Map of 1]',
      date: '1970-01-01T00:00:00.000Z',
      invalidDate: null,
      nothing: null,
      deep: { a: { b: { c: { d: { e: '[deeper]' } } } } },
      proxy: '[unreadable]',
      json: '[unreadable]',
      thrower: '[unreadable]',
    });
    const broken = logging({ write: () => assert.fail('the pipe is closed') });
    broken.logger.error('x');
  });

  it('keeps every line one line and free of control characters', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.object(),
        fc.constantFrom('json', 'pretty'),
        (text, object, format) => {
          const { logger, lines } = logging({ format, colors: false, fields: { service: text } });
          logger.warn(text, { text, object, [text]: 1 });
          const unsafe = [...(lines[0] ?? '')].filter((character) => {
            const code = character.codePointAt(0) ?? 0;
            return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x2028 && code <= 0x202e);
          });
          assert.equal(lines.length, 1);
          assert.deepEqual(unsafe, []);
          if (format === 'json') assert.equal(JSON.parse(lines[0] ?? '').msg, text);
        },
      ),
    );
  });

  it('is aligned and readable in a terminal', () => {
    const { logger, lines } = logging({ format: 'pretty', colors: false, fields: { service: 'catalog' } });
    logger.warn('lease evicted', { instanceId: 'a:1', reason: 'no renewal', overdueMs: 5, addresses: ['h'] });
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}catalog {6}lease evicted instanceId=a:1 reason="no renewal" overdueMs=5 addresses=\["h"\]$/,
    );
  });

  it('shows a stack at level error alone, and colours when it may', () => {
    const plain = logging({ format: 'pretty', colors: false });
    plain.logger.error('broken', { cause: new TypeError('x is not y') });
    plain.logger.warn('broken', { cause: new TypeError('x is not y') });
    assert.match(plain.lines[0] ?? '', /broken err="TypeError: x is not y"\n {4}at /);
    assert.match(plain.lines[1] ?? '', /broken err="TypeError: x is not y"$/);
    const coloured = logging({ format: 'pretty' });
    coloured.logger.info('x');
    assert((coloured.lines[0] ?? '').includes('\u001b[32m'));
  });
});

describe('fromPino', () => {
  it('hands fields and message over as pino takes them, children too', () => {
    const calls: unknown[] = [];
    const pino = (bindings: object): PinoLike => ({
      debug: (fields, message) => calls.push(['debug', bindings, fields, message]),
      info: (fields, message) => calls.push(['info', bindings, fields, message]),
      warn: () => assert.fail('the transport is gone'),
      error: (fields, message) => calls.push(['error', bindings, fields, message]),
      child: (more) => pino({ ...bindings, ...more }),
    });
    const logger = fromPino(pino({}));
    logger.info('a', { n: 1, password: 'hunter2' });
    logger.child({ part: 'x' }).debug('b');
    logger.warn('lost');
    assert.deepEqual(calls, [
      ['info', {}, { n: 1, password: '***' }, 'a'],
      ['debug', { part: 'x' }, {}, 'b'],
    ]);
  });
});
