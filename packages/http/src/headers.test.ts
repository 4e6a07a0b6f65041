import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { HttpHeaders } from './headers.ts';

const fields: [string, string][] = [
  ['Accept', 'a'],
  ['X-One', '1'],
  ['accept', 'b'],
  ['set-cookie', 'c=1, d'],
  ['set-cookie', 'e=2'],
];

suite('HttpHeaders', () => {
  test('keeps order and repeated fields, with names in lower case', () => {
    const headers = new HttpHeaders(fields);
    assert.deepEqual(
      [...headers],
      fields.map(([name, value]) => [name.toLowerCase(), value]),
    );
    assert.equal(headers.size, 5);
    assert.deepEqual(headers.toFlat(), [
      'accept',
      'a',
      'x-one',
      '1',
      'accept',
      'b',
      'set-cookie',
      'c=1, d',
      'set-cookie',
      'e=2',
    ]);
  });

  test('as lines they are what goes over the wire', () => {
    const lines = 'accept: a\r\nx-one: 1\r\naccept: b\r\nset-cookie: c=1, d\r\nset-cookie: e=2\r\n';
    assert.equal(new HttpHeaders(fields).toLines(), lines);
    assert.equal(new HttpHeaders().toLines(), '');
  });

  test('get joins, getAll keeps apart', () => {
    const headers = new HttpHeaders(fields);
    assert.equal(headers.get('accept'), 'a, b');
    assert.equal(headers.get('x-two'), undefined);
    assert.deepEqual(headers.getAll('set-cookie'), ['c=1, d', 'e=2']);
    assert.deepEqual(headers.getAll('x-two'), []);
  });

  test('set replaces every field of that name, delete and deleteWhere remove them', () => {
    const headers = new HttpHeaders(fields);
    headers.set('ACCEPT', 'c');
    assert.deepEqual(headers.getAll('accept'), ['c']);
    headers.delete('set-cookie');
    assert.equal(headers.has('set-cookie'), false);
    headers.deleteWhere((name) => name.startsWith('x-'));
    assert.deepEqual([...headers], [['accept', 'c']]);
  });

  test('what stays keeps its order, and find sees it in that order', () => {
    const headers = new HttpHeaders([...'abcdef'].map((name, position) => [name, `${position}`] as const));
    headers.deleteWhere((name) => 'ade'.includes(name));
    assert.deepEqual(headers.toFlat(), ['b', '1', 'c', '2', 'f', '5']);
    assert.deepEqual(
      headers.find((_name, value) => value > '1'),
      ['c', '2'],
    );
    assert.equal(
      headers.find((name) => name === 'a'),
      undefined,
    );
  });

  test('a copy and a flat list are the caller’s own', () => {
    const headers = new HttpHeaders(fields);
    const copy = headers.copy();
    copy.set('accept', 'z');
    headers.toFlat().length = 0;
    assert.equal(headers.get('accept'), 'a, b');
    assert.equal(copy.get('x-one'), '1');
  });

  test('a field that could end another one is found, wherever it was put', () => {
    assert.equal(new HttpHeaders(fields).unfit(), undefined);
    const read = HttpHeaders.fromFlat(['a', '1', 'b', '2'], true);
    read.append('c', '3\r\nd: 4');
    assert.deepEqual(read.unfit(), ['c', '3\r\nd: 4']);
    assert.deepEqual(read.copy().unfit(), ['c', '3\r\nd: 4']);
    read.delete('a');
    assert.deepEqual(read.unfit(), ['c', '3\r\nd: 4']);
    read.delete('c');
    assert.equal(read.unfit(), undefined);
    assert.deepEqual(HttpHeaders.fromFlat(['a b', '1']).unfit(), ['a b', '1']);
  });

  test('whatever is done to copies, each is the list that it would be alone', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const step = fc.record({
      on: fc.nat(3),
      does: fc.constantFrom('copy', 'append', 'set', 'delete', 'deleteWhere', 'unfit'),
      name,
      value: fc.constantFrom('1', '2', 'bad\n'),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.constantFrom('1', '2'))), fc.array(step), (given, steps) => {
        const model: string[][] = given.map(([field, value]) => [field, value]);
        const all = [{ headers: HttpHeaders.fromFlat(given.flat(), true), model }];
        for (const { on, does, name: field, value } of steps) {
          const one = all[on % all.length] as (typeof all)[number];
          const without = one.model.filter(([known]) => known !== field);
          if (does === 'copy') all.push({ headers: one.headers.copy(), model: one.model });
          else if (does === 'append') one.model = [...one.model, [field, value]];
          else if (does === 'set') one.model = [...without, [field, value]];
          else if (does !== 'unfit') one.model = without;
          if (does === 'append' || does === 'set') one.headers[does](field, value);
          else if (does === 'delete') one.headers.delete(field);
          else if (does === 'deleteWhere') one.headers.deleteWhere((known) => known === field);
          for (const { headers, model: expected } of all) {
            assert.deepEqual([...headers], expected);
            assert.deepEqual(
              headers.unfit(),
              expected.find(([, text]) => text === 'bad\n'),
            );
          }
        }
      }),
    );
  });

  test('names that objects have anyway are names like others', () => {
    const headers = new HttpHeaders([['__proto__', 'x']]);
    assert.equal(headers.get('__proto__'), 'x');
    assert.equal(headers.get('constructor'), undefined);
  });
});
