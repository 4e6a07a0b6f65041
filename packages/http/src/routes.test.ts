import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { naiveMatch } from '../test/naive-routes.ts';
import { HttpHeaders } from './headers.ts';
import { parsePath } from './path.ts';
import type { RouteSpec } from './route-spec.ts';
import { compileRoutes, type RoutedRequest } from './routes.ts';

suite('compileRoutes: which paths a pattern takes', () => {
  const rows: [pattern: string, taken: string[], left: string[]][] = [
    ['/', ['/', '//'], ['/a']],
    [
      '/products/{id}',
      ['/products/7', '/products/a%20b'],
      ['/products', '/products/', '/products/7/', '/products/7/x', '/Products/7'],
    ],
    ['/files/{*path}', ['/files/a', '/files/a/b', '/files/a/'], ['/files', '/files/', '/filesystem/a']],
    ['/shop/**', ['/shop', '/shop/', '/shop/a', '/shop/a/b/'], ['/shopping', '/Shop', '/']],
    ['/**', ['/', '/a', '/a/b/'], []],
    ['/{*all}', ['/a', '/a/b'], ['/']],
    ['/a/', ['/a/', '/a//'], ['/a']],
    ['/caf%C3%A9', ['/caf%c3%a9'], ['/cafe']],
    ['/{a}/x/{b}', ['/1/x/2'], ['/1/y/2', '/1/x']],
  ];
  for (const [path, taken, left] of rows) {
    test(path, () => {
      const table = compileRoutes([{ path, value: 'it' }]);
      for (const raw of taken) assert.equal(table.match(request({ path: raw })).kind, 'found', raw);
      for (const raw of left) assert.equal(table.match(request({ path: raw })).kind, 'none', raw);
    });
  }

  test('names take decoded segments', () => {
    const table = compileRoutes([{ path: '/u/{user}/{*file}', value: 0 }]);
    const match = table.match(request({ path: '/u/J%C3%BCrg/a%20b/c' }));
    assert.deepEqual(match, {
      kind: 'found',
      value: 0,
      params: new Map([
        ['user', 'Jürg'],
        ['file', 'a b/c'],
      ]),
      pattern: '/u/{user}/{*file}',
    });
  });
});

suite('compileRoutes: which of several wins, in whatever order they are listed', () => {
  const rows: [
    name: string,
    wins: Omit<RouteSpec<string>, 'value'>,
    loses: Omit<RouteSpec<string>, 'value'>,
    request: Partial<Asked>,
  ][] = [
    [
      'priority over everything',
      { path: '/**', priority: 1 },
      { path: '/a', hosts: ['h'], methods: ['GET'] },
      { authority: 'h' },
    ],
    [
      'exact host over wildcard',
      { path: '/**', hosts: ['a.b.c'] },
      { path: '/a', hosts: ['*.b.c'] },
      { authority: 'a.b.c' },
    ],
    [
      'longer wildcard over shorter',
      { path: '/**', hosts: ['*.b.c'] },
      { path: '/a', hosts: ['*.c'] },
      { authority: 'a.b.c' },
    ],
    ['wildcard over no host', { path: '/**', hosts: ['*.c'] }, { path: '/a' }, { authority: 'a.b.c' }],
    ['text over a name', { path: '/a' }, { path: '/{x}' }, {}],
    ['text further left over text further right', { path: '/a/{x}' }, { path: '/{x}/b' }, { path: '/a/b' }],
    ['a name over the rest', { path: '/{x}' }, { path: '/{*x}' }, {}],
    ['the rest over whatever follows', { path: '/{*x}' }, { path: '/**' }, {}],
    ['an end over whatever follows', { path: '/a' }, { path: '/a/**' }, {}],
    ['a longer prefix over a shorter one', { path: '/a/**' }, { path: '/**' }, {}],
    ['a path over a method', { path: '/a' }, { path: '/{x}', methods: ['GET'] }, {}],
    ['a method named over none', { path: '/a', methods: ['GET'] }, { path: '/a' }, {}],
    [
      'HEAD named over HEAD by GET',
      { path: '/a', methods: ['HEAD'] },
      { path: '/a', methods: ['GET'] },
      { method: 'HEAD' },
    ],
    ['HEAD by GET over every method', { path: '/a', methods: ['GET'] }, { path: '/a' }, { method: 'HEAD' }],
    [
      'a method over header fields',
      { path: '/a', methods: ['GET'] },
      { path: '/a', headers: { x: '1' } },
      { headers: [['x', '1']] },
    ],
    [
      'more header fields over fewer',
      { path: '/a', headers: { x: '1', y: '*' } },
      { path: '/a', headers: { x: '1' } },
      {
        headers: [
          ['x', '1'],
          ['y', ''],
        ],
      },
    ],
    [
      'a header field over query parameters',
      { path: '/a', headers: { x: '1' } },
      { path: '/a', query: { q: '1', r: '2' } },
      { headers: [['x', '1']], query: 'q=1&r=2' },
    ],
    [
      'more query parameters over fewer',
      { path: '/a', query: { q: '1', r: '*' } },
      { path: '/a', query: { q: '1' } },
      { query: 'q=1&r=2' },
    ],
  ];
  for (const [name, wins, loses, asked] of rows) {
    test(name, () => {
      const specs = [
        { ...wins, value: 'wins' },
        { ...loses, value: 'loses' },
      ];
      for (const listed of [specs, specs.toReversed()])
        assert.equal(winner(compileRoutes(listed), request(asked)), 'wins');
      assert.equal(winner(compileRoutes(specs.slice(1)), request(asked)), 'loses', 'the other one takes it too');
    });
  }

  test('between routes that ask for equally much, the one listed first', () => {
    const specs: RouteSpec<string>[] = [
      { path: '/a', headers: { x: '1' }, value: 'x' },
      { path: '/a', headers: { y: '1' }, value: 'y' },
    ];
    const asked = request({
      headers: [
        ['x', '1'],
        ['y', '1'],
      ],
    });
    assert.equal(winner(compileRoutes(specs), asked), 'x');
    assert.equal(winner(compileRoutes(specs.toReversed()), asked), 'y');
    assert.deepEqual(compileRoutes(specs).shadowed, []);
  });
});

suite('compileRoutes: conditions', () => {
  test('hosts are compared without port, case and the dot at the end', () => {
    const table = compileRoutes([{ path: '/a', hosts: ['Shop.Example', '*.api.example', '[::1]'], value: 'it' }]);
    for (const authority of [
      'shop.example',
      'SHOP.example:8080',
      'shop.example.',
      'v1.api.example',
      'x.v1.api.example:1',
      '[::1]:80',
      '[::1]',
    ]) {
      assert.equal(table.match(request({ authority })).kind, 'found', authority);
    }
    for (const authority of [
      'example',
      'xshop.example',
      'api.example',
      '.api.example',
      'shop.example.evil',
      '[::2]',
      '',
    ]) {
      assert.equal(table.match(request({ authority })).kind, 'none', authority);
    }
  });

  test('a header field has to have the value, repeated fields count joined', () => {
    const table = compileRoutes([{ path: '/a', headers: { 'X-Mode': 'b' }, value: 'it' }]);
    assert.equal(table.match(request({ headers: [['x-mode', 'b']] })).kind, 'found');
    for (const headers of [
      [],
      [['x-mode', 'B']],
      [
        ['x-mode', 'b'],
        ['x-mode', 'b'],
      ],
    ] as [string, string][][]) {
      assert.equal(table.match(request({ headers })).kind, 'none', JSON.stringify(headers));
    }
  });

  test('a query parameter has to have the value each time it is there', () => {
    const table = compileRoutes([{ path: '/a', query: { q: 'a b' }, value: 'it' }]);
    for (const query of ['q=a+b', 'x=1&q=a%20b', 'q=a%20b&q=a+b'])
      assert.equal(table.match(request({ query })).kind, 'found', query);
    for (const query of ['', 'q', 'q=a', 'Q=a+b', 'q=a+b&q=c'])
      assert.equal(table.match(request({ query })).kind, 'none', query);
  });

  test('a method that no route takes is told from an address that nobody serves', () => {
    const table = compileRoutes([
      { path: '/a', methods: ['GET', 'PUT'], value: 1 },
      { path: '/{x}', methods: ['DELETE'], value: 2 },
      { path: '/a', methods: ['PATCH'], headers: { x: '1' }, value: 3 },
    ]);
    assert.deepEqual(table.match(request({ method: 'POST' })), {
      kind: 'method',
      allow: ['DELETE', 'GET', 'HEAD', 'PUT'],
    });
    assert.deepEqual(table.match(request({ method: 'POST', path: '/a/b' })), { kind: 'none' });
  });

  test('HEAD goes to the more exact GET rather than to a wide route that takes every method', () => {
    const table = compileRoutes([
      { path: '/**', value: 'wide' },
      { path: '/a', methods: ['GET'], value: 'get' },
    ]);
    assert.equal(winner(table, request({ method: 'HEAD' })), 'get');
    assert.equal(winner(table, request({ method: 'POST' })), 'wide');
  });
});

suite('compileRoutes: what it refuses and reports', () => {
  const mistakes: [spec: Omit<RouteSpec<null>, 'value'>, said: RegExp][] = [
    [{ path: '/{' }, /pattern "\/\{"/],
    [{ path: '/a', methods: [] }, /route for "\/a" cannot be used: its list of methods is empty/],
    [{ path: '/a', methods: ['get'] }, /"get" is not a method/],
    [{ path: '/a', methods: ['GET '] }, /"GET " is not a method/],
    [{ path: '/a', hosts: [] }, /its list of hosts is empty/],
    [{ path: '/a', hosts: ['a:80'] }, /"a:80" is not a host/],
    [{ path: '/a', hosts: ['*'] }, /"\*" is not a host/],
    [{ path: '/a', hosts: ['a.*.b'] }, /"a\.\*\.b" is not a host/],
    [{ path: '/a', headers: { 'x y': '1' } }, /"x y" is not the name of a header field/],
    [{ path: '/a', headers: { x: 'a\nb' } }, /no header field "x" has the value "a\\nb"/],
    [{ path: '/a', headers: { x: '1', X: '2' } }, /asks twice for the header field "x"/],
    [{ path: '/a', priority: Number.NaN }, /its priority is not a number/],
  ];
  for (const [spec, said] of mistakes) {
    test(String(said), () => {
      assert.throws(() => compileRoutes([{ ...spec, value: null }]), { code: 'CONFIG_INVALID', detail: said });
    });
  }

  test('a route that others hide wholly is reported, one that is hidden in part is not', () => {
    const table = compileRoutes<number>([
      { path: '/a/{id}', methods: ['GET'], value: 0 },
      { path: '/a/{key}', methods: ['GET'], value: 1 },
      { path: '/a/{key}', methods: ['GET', 'PUT'], value: 2 },
      { path: '/a/{key}', methods: ['PUT'], priority: -1, value: 3 },
      { path: '/a/{*key}', methods: ['GET'], value: 4 },
      { path: '/b', headers: { x: '1', y: '2' }, hosts: ['h', 'i'], value: 5 },
      { path: '/b', headers: { Y: '2', X: '1' }, hosts: ['i'], value: 6 },
      { path: '/b', headers: { Y: '2', X: '1' }, hosts: ['j', 'i'], value: 7 },
      { path: '/%62', priority: 1, hosts: ['k'], value: 8 },
      { path: '/b', hosts: ['k'], value: 9 },
    ]);
    assert.deepEqual(table.shadowed, [1, 3, 6, 9]);
  });
});

suite('compileRoutes and a naive matcher', () => {
  const segment = fc.constantFrom('a', 'b', 'c');
  const pieces = fc.array(fc.oneof(segment, segment, fc.constant('{}')), { maxLength: 4 });
  const path = fc.tuple(pieces, fc.constantFrom('', '', '', '/', '/{*rest}', '/**')).map(([list, end]) => {
    const text = list.map((piece, index) => (piece === '{}' ? `/{p${index}}` : `/${piece}`)).join('');
    return text + end || '/';
  });
  const host = fc.constantFrom('a.b.c', 'b.c', 'c', '*.b.c', '*.c', 'x.c');
  const few = (values: fc.Arbitrary<string>) => fc.dictionary(fc.constantFrom('x', 'y'), values, { maxKeys: 2 });
  const spec = fc.record(
    {
      path,
      methods: fc.uniqueArray(fc.constantFrom('GET', 'HEAD', 'POST'), { minLength: 1, maxLength: 2 }),
      hosts: fc.uniqueArray(host, { minLength: 1, maxLength: 2 }),
      headers: few(fc.constantFrom('1', '*')),
      query: few(fc.constantFrom('1', '*')),
      priority: fc.constantFrom(0, 0, 0, 1, -1),
    },
    { requiredKeys: ['path'] },
  );
  /** So few paths that routes differ in little else than their conditions. */
  const narrow = spec.chain((one) => fc.constantFrom('/a', '/{p0}', '/**').map((text) => ({ ...one, path: text })));
  const asked = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
    path: fc
      .tuple(fc.array(segment, { maxLength: 5 }), fc.constantFrom('', '', '/'))
      .map(([list, end]) => `/${list.join('/')}${end}`),
    authority: fc.constantFrom('a.b.c', 'b.c:80', 'z.b.c', 'y.x.c', 'other', 'X.C.'),
    headers: fc.array(fc.tuple(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2')), { maxLength: 2 }),
    query: fc.constantFrom('', 'x=1', 'x=2', 'x=1&y=1', 'x=1&x=2'),
  });

  test('agree on up to 60 routes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(spec, narrow), { maxLength: 60 }),
        fc.array(asked, { minLength: 1, maxLength: 20 }),
        assertAgree,
      ),
      { seed: 1, numRuns: 600 },
    );
  });

  test('agree on up to 2,000 routes', () => {
    fc.assert(
      fc.property(
        fc.array(spec, { minLength: 1_500, maxLength: 2_000, size: 'max' }),
        fc.array(asked, { minLength: 10, maxLength: 20 }),
        assertAgree,
      ),
      { seed: 2, numRuns: 3, endOnFailure: true }, // shrinking thousands of routes takes minutes
    );
  });

  test('what is reported as unreachable never answers', () => {
    fc.assert(
      fc.property(
        fc.array(spec, { maxLength: 200, size: 'max' }),
        fc.array(asked, { minLength: 20, maxLength: 40 }),
        (specs, requests) => {
          const table = compileRoutes(specs.map((one, value) => ({ ...one, value })));
          for (const one of requests) {
            const match = table.match(request(one));
            assert.ok(match.kind !== 'found' || !table.shadowed.includes(match.value));
          }
        },
      ),
      { seed: 3, numRuns: 100 },
    );
  });

  function assertAgree(specs: Omit<RouteSpec<number>, 'value'>[], requests: Asked[]): void {
    const listed = specs.map((one, value) => ({ ...one, value }));
    const table = compileRoutes(listed);
    for (const one of requests) {
      const match = table.match(request(one));
      const expected = naiveMatch(listed, request(one));
      if (match.kind === 'found') assert.deepEqual({ value: match.value }, expected);
      else assert.deepEqual(match, expected);
    }
  }
});

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: [string, string][];
  readonly query: string;
}

function request({
  method = 'GET',
  path = '/a',
  authority = 'host',
  headers = [],
  query = '',
}: Partial<Asked>): RoutedRequest {
  return { method, path: parsePath(path), authority, headers: new HttpHeaders(headers), query };
}

function winner<T>(
  table: { match(request: RoutedRequest): { kind: string; value?: T } },
  asked: RoutedRequest,
): T | undefined {
  return table.match(asked).value;
}
