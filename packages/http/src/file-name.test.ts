import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { safeFileName } from './file-name.ts';

suite('safeFileName', () => {
  const rows: [given: string, safe: string][] = [
    ['cat.png', 'cat.png'],
    ['Ünïcode ☕.png', 'Ünïcode ☕.png'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\ada\\cat.png', 'cat.png'],
    ['..', 'file'],
    ['.', 'file'],
    ['', 'file'],
    ['a/', 'file'],
    ['/', 'file'],
    ['.profile', '.profile'],
    ['a.exe.', 'a.exe'],
    ['a.exe . .', 'a.exe'],
    [' a ', 'a'],
    ['a\u0000.png', 'a.png'],
    ['a\r\nb', 'ab'],
    ['cod\u202egnp.exe', 'codgnp.exe'],
    ['a:b|c?d*e<f>"g', 'a_b_c_d_e_f__g'],
    ['e\u0301.txt', '\u00e9.txt'],
    ['half \ud800', 'half \ufffd'],
  ];
  for (const [given, safe] of rows) {
    test(`${JSON.stringify(given)} is ${JSON.stringify(safe)}`, () => assert.equal(safeFileName(given), safe));
  }

  test('a long name is cut between characters and keeps its ending', () => {
    const name = safeFileName(`${'é'.repeat(200)}.jpeg`);
    assert.ok(new TextEncoder().encode(name).byteLength <= 255);
    assert.match(name, /^é+\.jpeg$/);
  });

  test('whatever is given, the result is one name in one folder, and itself again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (given) => {
        const name = safeFileName(given);
        assert.doesNotMatch(name, /[/\\\p{Cc}]|^\.{1,2}$|[. ]$/u);
        assert.ok(name.length > 0 && new TextEncoder().encode(name).byteLength <= 255);
        assert.equal(safeFileName(name), name);
      }),
      { numRuns: 500 },
    );
  });
});
