import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { parsePath, pathFromSegments, pathFromText, stripSegments } from './path.ts';

suite('parsePath: the canonical form', () => {
  const rows: [raw: string, text: string, segments: string[]][] = [
    ['/', '/', []],
    ['//', '/', []],
    ['/a', '/a', ['a']],
    ['/a/', '/a/', ['a', '']],
    ['/a//b///c', '/a/b/c', ['a', 'b', 'c']],
    ['/a/b//', '/a/b/', ['a', 'b', '']],
    ['/%61%2d%7e%5F', '/a-~_', ['a-~_']],
    ['/caf%c3%a9', '/caf%C3%A9', ['café']],
    ['/a%20b', '/a%20b', ['a b']],
    ['/100%25', '/100%25', ['100%']],
    ["/a!$&'()*+,;=:@b", "/a!$&'()*+,;=:@b", ["a!$&'()*+,;=:@b"]],
    ['/%21%3a', '/%21%3A', ['!:']],
    ['/{"a"|[b]^`<c>}', '/%7B%22a%22%7C%5Bb%5D%5E%60%3Cc%3E%7D', ['{"a"|[b]^`<c>}']],
    ['/a/./b', '/a/b', ['a', 'b']],
    ['/a/../b', '/b', ['b']],
    ['/a/%2e%2E/b', '/b', ['b']],
    ['/a/.%2e/b', '/b', ['b']],
    ['/a/b/..', '/a/', ['a', '']],
    ['/a/.', '/a/', ['a', '']],
    ['/.', '/', []],
    ['/a/..', '/', []],
    ['/...', '/...', ['...']],
    ['/.well-known/x', '/.well-known/x', ['.well-known', 'x']],
    ['/a..;x', '/a..;x', ['a..;x']],
    ['/a;v=1/b', '/a;v=1/b', ['a;v=1', 'b']],
    ['/__proto__/constructor', '/__proto__/constructor', ['__proto__', 'constructor']],
  ];
  for (const [raw, text, segments] of rows) {
    test(`${raw} is ${text}`, () => {
      assert.deepEqual(parsePath(raw), { text, segments });
      assert.deepEqual(parsePath(text), { text, segments });
    });
  }
});

suite('parsePath: what is refused', () => {
  const rows: [raw: string, said: RegExp][] = [
    ['', /does not begin with "\/"/],
    ['a', /does not begin with "\/"/],
    ['*', /does not begin with "\/"/],
    ['http://a/b', /does not begin with "\/"/],
    ['/..', /above the root/],
    ['/a/../..', /above the root/],
    ['/a/%2e%2e/%2e%2e/etc', /above the root/],
    ['/../../etc/passwd', /above the root/],
    ['/a//../b', /over a repeated slash/],
    ['/..;/admin', /hides a dot segment/],
    ['/a/..;x=1/admin', /hides a dot segment/],
    ['/a/.;/admin', /hides a dot segment/],
    ['/a/%2e%2e;/admin', /hides a dot segment/],
    ['/a/..%3b/admin', /hides a dot segment/],
    ['/a%2fb', /escaped slash, "%2f"/],
    ['/..%2f..%2fetc', /escaped slash/],
    ['/a%5cb', /escaped backslash, "%5c"/],
    ['/a\\..\\b', /a backslash/],
    ['/a%00.png', /control byte "%00"/],
    ['/a%0d%0ax:y', /control byte "%0d"/],
    ['/a%7f', /control byte "%7f"/],
    ['/a\u0000', /a control character/],
    ['/a\tb', /a control character/],
    ['/a b', /a blank/],
    ['/é', /not ASCII/],
    ['/a#b', /"#"/],
    ['/a?b', /"\?"/],
    ['/%', /"%" is not an escape/],
    ['/%2', /"%2" is not an escape/],
    ['/%zz', /"%zz" is not an escape/],
    ['/%u002e', /"%u0" is not an escape/],
    ['/%c0%ae%c0%ae/x', /not valid UTF-8/],
    ['/%c0%af', /not valid UTF-8/],
    ['/%e0%80%af', /not valid UTF-8/],
    ['/%ed%a0%80', /not valid UTF-8/],
    ['/%ff', /not valid UTF-8/],
    ['/%c3', /not valid UTF-8/],
  ];
  for (const [raw, said] of rows) {
    test(JSON.stringify(raw), () => assert.throws(() => parsePath(raw), { code: 'MALFORMED_REQUEST', detail: said }));
  }

  test('a path longer than a request line may be', () => {
    assert.equal(parsePath(`/${'a'.repeat(8_191)}`).text.length, 8_192);
    assert.throws(() => parsePath(`/${'a'.repeat(8_192)}`), { code: 'TARGET_TOO_LONG' });
  });
});

suite('parsePath with encodedSlash: keep', () => {
  const keep = { encodedSlash: 'keep' } as const;
  test('a kept slash is part of its segment', () => {
    assert.deepEqual(parsePath('/a%2fb/c', keep), { text: '/a%2Fb/c', segments: ['a/b', 'c'] });
  });

  test('a dot segment behind a kept slash is refused', () => {
    for (const raw of ['/a/..%2f', '/a/x%2f..', '/a/x%2f.%2fy', '/..%2F..%2Fetc', '/a/x%2f..;y']) {
      assert.throws(() => parsePath(raw, keep), { code: 'MALFORMED_REQUEST', detail: /hides a dot segment/ }, raw);
    }
  });
});

suite('parsePath: what always holds', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '.',
      '..',
      ';',
      '%2e',
      '%2f',
      '%2F',
      '%5c',
      '%00',
      '%25',
      '%',
      '%c3%a9',
      '%3b',
      'a',
      'b',
      '~',
      '|',
      '%7c',
    ),
    fc.string({ maxLength: 2, unit: 'binary' }),
  );
  const raw = fc.array(piece, { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`);
  const options = fc.constantFrom({ encodedSlash: 'refuse' } as const, { encodedSlash: 'keep' } as const);

  test('it is canonical or refused with a code, and reading it again changes nothing', () => {
    fc.assert(
      fc.property(raw, options, (text, how) => {
        const path = parsed(text, how);
        if (path) assert.deepEqual(parsePath(path.text, how), path);
      }),
      { seed: 1, numRuns: 5_000 },
    );
  });

  test('however a backend decodes, merges slashes, cuts parameters and resolves dots, it sees our segments', () => {
    fc.assert(
      fc.property(raw, (text) => {
        const path = parsed(text, {});
        if (!path) return;
        const decoded = `/${path.segments.join('/')}`;
        const cut = `/${path.segments.map(cutParameters).join('/')}`;
        assert.equal(decodeURIComponent(path.text), decoded);
        assert.equal(resolveDots(mergeSlashes(decodeURIComponent(path.text))), decoded);
        assert.equal(decodeURIComponent(resolveDots(mergeSlashes(path.text))), decoded);
        assert.equal(decodeURIComponent(new URL(`http://host${path.text}`).pathname), decoded);
        assert.equal(resolveDots(decodeURIComponent(path.text).split('/').map(cutParameters).join('/')), cut);
      }),
      { seed: 2, numRuns: 5_000 },
    );
  });
});

suite('stripSegments', () => {
  const rows: [raw: string, count: number, text: string][] = [
    ['/api/orders/7', 1, '/orders/7'],
    ['/api/orders/', 1, '/orders/'],
    ['/api/', 1, '/'],
    ['/api', 1, '/'],
    ['/api', 5, '/'],
    ['/', 1, '/'],
    ['/api/caf%C3%A9', 1, '/caf%C3%A9'],
    ['/api', 0, '/api'],
  ];
  for (const [raw, count, text] of rows) {
    test(`${raw} less ${count} is ${text}, which is canonical`, () => {
      const stripped = stripSegments(parsePath(raw), count);
      assert.deepEqual(stripped, parsePath(text));
    });
  }

  test('refuses a count that is not a whole number from 0 on', () => {
    for (const count of [-1, 0.5, Number.NaN]) assert.throws(() => stripSegments(parsePath('/a'), count), RangeError);
  });
});

suite('pathFromSegments and pathFromText', () => {
  test('segments arrive as they were, or are refused', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '.', '..', '..;', 'a/b')), {
          minLength: 1,
        }),
        (segments) => {
          try {
            const path = pathFromSegments(segments);
            const root = segments.length === 1 && segments[0] === '';
            assert.deepEqual(parsePath(path.text, { encodedSlash: 'keep' }).segments, root ? [] : segments);
          } catch (error) {
            assert.ok(error instanceof FlotillaError && error.code === 'INVALID_INPUT', String(error));
          }
        },
      ),
      { seed: 3, numRuns: 2_000 },
    );
  });

  test('an id cannot climb, nor leave its place', () => {
    for (const id of ['..', '.', '..;x', '../7', '', 'a\\b', 'a\nb', '\ud800']) {
      assert.throws(() => pathFromSegments(['orders', id, 'items']), { code: 'INVALID_INPUT' }, JSON.stringify(id));
    }
    assert.throws(() => pathFromSegments(['orders', '.']), { code: 'INVALID_INPUT' });
    assert.equal(pathFromSegments(['orders', 'a/b?c#d', 'items']).text, '/orders/a%2Fb%3Fc%23d/items');
  });

  test('text may hold letters outside ASCII and blanks', () => {
    assert.deepEqual(pathFromText('/café au lait'), parsePath('/caf%C3%A9%20au%20lait'));
    assert.throws(() => pathFromText('/a\nb'), { code: 'MALFORMED_REQUEST' });
  });
});

function parsed(text: string, options: { encodedSlash?: 'refuse' | 'keep' }) {
  try {
    return parsePath(text, options);
  } catch (error) {
    assert.ok(error instanceof FlotillaError && error.code === 'MALFORMED_REQUEST', String(error));
    return undefined;
  }
}

function mergeSlashes(text: string): string {
  return text.replace(/\/+/g, '/');
}

function cutParameters(segment: string): string {
  return segment.replace(/;.*/s, '');
}

/** RFC 3986 §5.2.4, the way most servers do it: on whatever text they have in hand. */
function resolveDots(text: string): string {
  const kept: string[] = [];
  const segments = text.split('/').slice(1);
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
