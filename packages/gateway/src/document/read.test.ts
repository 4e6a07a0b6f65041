import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { checkRoutes, readRoutes } from './read.ts';

const whole = `
trustedProxies: [10.0.0.0/8, "fd00::/8"]
trustContext: true
trustPriority: true
routes:
  - id: storefront
    path: ["/shop/{*rest}", "/old/{*rest}"]
    hosts: [shop.example, "*.shop.example"]
    methods: [GET, POST]
    headers: { X-Beta: "1", x-any: "*" }
    query: { preview: "*" }
    priority: 7
    to: service://web
    auth: public
    filters:
      - stripPrefix: 1
      - rewritePath: /api/{*rest}
      - setRequestHeader: { X-A: "b c" }
      - removeRequestHeader: [x-c]
      - setResponseHeader: { x-d: "" }
      - removeResponseHeader: server
      - retry: { attempts: 3, methods: [GET] }
      - timeout: { timeoutMs: 3000 }
    maxBodyBytes: 1024
    encodedSlash: keep
    headTimeoutMs: 1000
    idleTimeoutMs: 2000
  - { id: fixed, path: /fixed, to: "http://127.0.0.1:9000" }
  - { id: tls, path: /tls, to: "https://Api.Example" }
  - { id: v6, path: /v6, to: "http://[::1]:9000/" }
  - { id: catalog, path: /catalog/**, to: contract://catalog, filters: [{ retry: {} }] }
`;

describe('a route document', () => {
  it('is read with every key, defaults filled in, and frozen', () => {
    const document = readRoutes(whole, 'routes.yaml');
    const [storefront, fixed, tls, v6, catalog] = document.routes;
    assert.deepEqual(document.trustedProxies, ['10.0.0.0/8', 'fd00::/8']);
    assert.deepEqual([document.trustContext, document.trustPriority], [true, true]);
    assert.deepEqual(storefront, {
      id: 'storefront',
      paths: ['/shop/{*rest}', '/old/{*rest}'],
      hosts: ['shop.example', '*.shop.example'],
      methods: ['GET', 'POST'],
      headers: [
        ['x-beta', '1'],
        ['x-any', '*'],
      ],
      query: [['preview', '*']],
      priority: 7,
      to: { kind: 'service', name: 'web' },
      auth: 'public',
      filters: [
        { kind: 'stripPrefix', segments: 1 },
        { kind: 'rewritePath', template: '/api/{*rest}' },
        { kind: 'setRequestHeader', fields: [['x-a', 'b c']] },
        { kind: 'removeRequestHeader', names: ['x-c'] },
        { kind: 'setResponseHeader', fields: [['x-d', '']] },
        { kind: 'removeResponseHeader', names: ['server'] },
        { kind: 'retry', attempts: 3, methods: ['GET'] },
        { kind: 'timeout', timeoutMs: 3000 },
      ],
      maxBodyBytes: 1024,
      encodedSlash: 'keep',
      headTimeoutMs: 1000,
      idleTimeoutMs: 2000,
      webSocket: false,
    });
    assert.deepEqual(fixed, {
      id: 'fixed',
      paths: ['/fixed'],
      hosts: [],
      methods: [],
      headers: [],
      query: [],
      priority: 0,
      to: { kind: 'address', protocol: 'http', host: '127.0.0.1', port: 9000 },
      auth: 'required',
      filters: [],
      maxBodyBytes: 10_485_760,
      encodedSlash: 'refuse',
      headTimeoutMs: 30_000,
      idleTimeoutMs: 300_000,
      webSocket: false,
    });
    assert.deepEqual(tls?.to, { kind: 'address', protocol: 'https', host: 'api.example', port: 443 });
    assert.deepEqual(v6?.to, { kind: 'address', protocol: 'http', host: '::1', port: 9000 });
    assert.deepEqual(catalog?.to, { kind: 'contract', name: 'catalog' });
    assert.deepEqual(catalog?.filters, [{ kind: 'retry', attempts: 2, methods: ['GET', 'HEAD'] }]);
    assert(Object.isFrozen(document) && Object.isFrozen(storefront) && Object.isFrozen(storefront?.filters[0]));
  });

  it('reads what a route says about WebSockets, and what that forbids', () => {
    const read = (webSocket: unknown, filters: unknown[] = []) =>
      checkRoutes({ routes: [{ id: 'a', path: '/a', to: 'service://a', webSocket, filters }] }).routes[0]?.webSocket;
    assert.equal(read(false), false);
    assert.deepEqual(read(true), { origins: ['same-origin'], idleMs: 60_000, maxConnections: 1_000 });
    assert.deepEqual(read({ origins: ['same-origin', 'https://Shop.example'], idleMs: 5 }), {
      origins: ['same-origin', 'https://shop.example'],
      idleMs: 5,
      maxConnections: 1_000,
    });
    assert.deepEqual(read({ allowAnyOrigin: true }), { origins: ['*'], idleMs: 60_000, maxConnections: 1_000 });
    const rows: readonly (readonly [unknown, RegExp])[] = [
      ['yes', /true, false, or a mapping/],
      [{ origins: [] }, /empty list/],
      [{ origins: ['*'] }, /allowAnyOrigin/],
      [{ origins: ['null'] }, /"null" is no origin/],
      [{ origins: ['https://shop.example/path'] }, /is no origin/],
      [{ origins: ['ws://shop.example'] }, /is no origin/],
      [{ origins: ['https://a.example'], allowAnyOrigin: true }, /write one of them/],
      [{ idleMs: 0 }, /whole number from 1/],
      [{ idelMs: 1 }, /did you mean "idleMs"/],
    ];
    for (const [value, mistake] of rows) assert.throws(() => read(value), mistake, JSON.stringify(value));
    assert.throws(() => read(true, [{ timeout: { timeoutMs: 5 } }]), /filter "timeout"/);
  });

  it('names every mistake at once, each with its line', () => {
    const text = [
      'trustedProxys: []', // 1
      'routes:',
      '  - id: a', // 3
      '    pth: /a',
      '    to: service://web',
      '  - id: "b b"', // 6
      '    path: a',
      '    to: ftp://x',
      '    auth: Public',
      '    filters:',
      '      - stripPrefx: 1', // 11
      '      - timeout: { timeoutMs: 0 }',
    ].join('\n');
    const lines = mistakesOf(() => readRoutes(text, 'routes.yaml')).map(({ where, problem }) => `${where} ${problem}`);
    assert.deepEqual(
      lines.map((line) => Number(line.split(':')[1])).sort((a, b) => a - b),
      [1, 3, 4, 6, 8, 9, 11, 12],
    );
    assert(lines.some((line) => line.includes('did you mean "trustedProxies"')));
    assert(lines.some((line) => line.includes('did you mean "path"')));
    assert(lines.some((line) => line.includes('did you mean "stripPrefix"')));
    assert(lines.some((line) => line.includes('did you mean "public"')));
  });

  const refused: readonly (readonly [name: string, route: object, problem: RegExp])[] = [
    [
      'a duplicate key of a filter item',
      { filters: [{ stripPrefix: 1, timeout: { timeoutMs: 1 } }] },
      /several filters/,
    ],
    ['a filter without what it takes', { filters: ['stripPrefix'] }, /write "- stripPrefix: …"/],
    ['an empty filter', { filters: [{}] }, /empty filter/],
    [
      'a key of a pick from nowhere',
      { filters: [{ pickKey: {} }] },
      /takes one of "header", "cookie" and "clientAddress"/,
    ],
    [
      'a key of a pick from two places',
      { filters: [{ pickKey: { header: 'x-a', cookie: 'a' } }] },
      /takes one of "header", "cookie" and "clientAddress"/,
    ],
    ['a key by no address', { filters: [{ pickKey: { clientAddress: false } }] }, /can only be true/],
    ['a context that says nothing', { filters: [{ context: {} }] }, /takes "urgency", "baggage" or both/],
    ['an urgency that is none', { filters: [{ context: { urgency: 8 } }] }, /whole number from 0 to 7/],
    ['a member without a proper name', { filters: [{ context: { baggage: { 'a b': 'x' } } }] }, /name of a member/],
    ['a member of the gateway', { filters: [{ context: { baggage: { 'flotilla.passed': 'x' } } }] }, /gateways alone/],
    ['a member that is no text', { filters: [{ context: { baggage: { a: 1 } } }] }, /must be text/],
    [
      'too many members',
      { filters: [{ context: { baggage: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`m${n}`, 'x'])) } }] },
      /has 65 members, the limit is 64/,
    ],
    ['a cookie without a proper name', { filters: [{ pickKey: { cookie: 'a b' } }] }, /cannot be the name of a cookie/],
    ['filters as a mapping', { filters: { stripPrefix: 1 } }, /must be a list/],
    ['a number as a header value', { filters: [{ setRequestHeader: { a: 1 } }] }, /must be text.*quotes/],
    ['a header name with a blank', { filters: [{ setRequestHeader: { 'a b': 'x' } }] }, /not a header name/],
    ['a header value with a line end', { filters: [{ setResponseHeader: { a: 'x\r\nb: y' } }] }, /cannot be the value/],
    ['one header name in two cases', { filters: [{ setRequestHeader: { a: 'x', A: 'y' } }] }, /twice/],
    ['a framing field', { filters: [{ setRequestHeader: { 'Content-Length': '0' } }] }, /written by the gateway alone/],
    ['an identity field', { filters: [{ removeRequestHeader: ['X-Forwarded-For'] }] }, /written by the gateway alone/],
    [
      'a context field',
      { filters: [{ setRequestHeader: { 'flotilla-attempt': '1' } }] },
      /written by the gateway alone/,
    ],
    ['a trace field', { filters: [{ setRequestHeader: { traceparent: 'x' } }] }, /written by the gateway alone/],
    ['a URL with a path', { to: 'http://host:1/base' }, /takes no path/],
    ['a URL with a user', { to: 'http://me:secret@host' }, /takes no user/],
    ['a URL with a query', { to: 'http://host?x' }, /takes no user, query/],
    ['a URL with port 0', { to: 'http://host:0' }, /port from 1 to 65535/],
    ['a URL with a large port', { to: 'http://host:65536' }, /port from 1 to 65535/],
    ['a URL without a host', { to: 'http://' }, /not a host/],
    ['a relative URL', { to: 'host:80' }, /must be service:/],
    ['a service with a path', { to: 'service://web/x' }, /not the name of a service/],
    ['a service without a name', { to: 'service://' }, /not the name of a service/],
    ['no upstream', { to: undefined }, /must be text, got nothing/],
    ['a method in lower case', { methods: ['get'] }, /did you mean "GET"/],
    ['a method that never passes', { methods: ['TRACE'] }, /must be one of/],
    ['an empty list of methods', { methods: [] }, /leave it out/],
    ['an empty list of hosts', { hosts: [] }, /leave it out/],
    ['an empty list of paths', { path: [] }, /empty list/],
    ['a host with a port', { hosts: ['shop.example:80'] }, /without a port/],
    ['a pattern with ** inside', { path: '/a/**/b' }, /last segment/],
    ['a pattern with a repeated name', { path: '/{a}/{a}' }, /twice/],
    ['a template with an unknown name', { filters: [{ rewritePath: '/x/{id}' }] }, /does not have/],
    ['a template with a half gap', { filters: [{ rewritePath: '/x/a{id}' }] }, /whole segment/],
    [
      'a template with something behind the rest',
      { filters: [{ rewritePath: '/{*rest}/x' }] },
      /takes all that is left/,
    ],
    ['a template that is not canonical', { filters: [{ rewritePath: '/a/../b' }] }, /canonical/],
    ['a template with an escaped slash', { filters: [{ rewritePath: '/a%2Fb' }] }, /escaped slash/],
    ['a template with repeated slashes', { filters: [{ rewritePath: '/a//b' }] }, /canonical/],
    ['a relative template', { filters: [{ rewritePath: 'x' }] }, /must start with/],
    ['a fraction of a byte', { maxBodyBytes: 1.5 }, /whole number/],
    ['a negative limit', { maxBodyBytes: -1 }, /whole number/],
    ['a text as a number', { headTimeoutMs: '30' }, /whole number/],
    ['an endless wait', { idleTimeoutMs: Number.POSITIVE_INFINITY }, /whole number/],
    ['an unknown word', { encodedSlash: 'maybe' }, /one of refuse, keep/],
    ['a list as a name', { id: ['a'] }, /must be text, got a list/],
    ['more than 50 filters', { filters: Array.from({ length: 51 }, () => ({ stripPrefix: 1 })) }, /limit is 50/],
    ['a text of 9 kB', { filters: [{ setRequestHeader: { a: 'x'.repeat(9_000) } }] }, /limit is 8192/],
    ['a prototype', { headers: JSON.parse('{"__proto__ ":"x"}') }, /not a header name/],
  ];
  for (const [name, part, problem] of refused) {
    it(`is refused with ${name}`, () => {
      const route = { id: 'a', path: '/a/{*rest}', to: 'service://web', ...part };
      const problems = mistakesOf(() => checkRoutes({ routes: [route] })).map((mistake) => mistake.problem);
      assert(
        problems.some((text) => problem.test(text)),
        `${problem} is not among ${JSON.stringify(problems)}`,
      );
    });
  }

  it('is refused with a trusted proxy that is no address', () => {
    const mistakes = mistakesOf(() =>
      checkRoutes({ trustedProxies: ['10.0.0.0/8', '10.0.0.1/8', 'proxy'], routes: [] }),
    );
    assert.deepEqual(
      mistakes.map(({ key }) => key),
      ['trustedProxies[1]', 'trustedProxies[2]'],
    );
  });

  it('is refused when an id is used twice', () => {
    const routes = [
      { id: 'a', path: '/a', to: 'service://web' },
      { id: 'a', path: '/b', to: 'service://web' },
    ];
    const [mistake] = mistakesOf(() => checkRoutes({ routes }));
    assert.equal(mistake?.key, 'routes[1].id');
  });

  it('is refused when nothing can reach a route, naming the one in its way', () => {
    const routes = [
      { id: 'first', path: ['/x', '/a/{id}'], to: 'service://web' },
      { id: 'second', path: '/a/{name}', to: 'service://other' },
    ];
    const [mistake] = mistakesOf(() => checkRoutes({ routes }));
    assert.equal(mistake?.key, 'routes[1].path');
    assert.match(mistake?.problem ?? '', /the route "first" takes exactly the same/);
  });

  it('is refused when it is no mapping, has no routes, or too many', () => {
    assert.match(mistakesOf(() => readRoutes('', 'routes.yaml'))[0]?.problem ?? '', /must be a mapping, got nothing/);
    assert.match(mistakesOf(() => checkRoutes([]))[0]?.problem ?? '', /must be a mapping, got a list/);
    assert.match(mistakesOf(() => checkRoutes({}))[0]?.problem ?? '', /needs "routes"/);
    const many = Array.from({ length: 10_001 }, () => ({}));
    assert.match(mistakesOf(() => checkRoutes({ routes: many }))[0]?.problem ?? '', /limit is 10000/);
  });

  it('tells at most 50 mistakes and counts the rest', () => {
    const routes = Array.from({ length: 60 }, () => ({}));
    assert.throws(
      () => checkRoutes({ routes }),
      (error: FlotillaError) => {
        assert.match(error.detail, /^180 mistakes in the route document\n/);
        assert.match(error.detail, /and 130 more$/);
        return true;
      },
    );
  });

  it('keeps every text as it is: nothing in it is evaluated', () => {
    const pieces = fc.constantFrom(
      '#{1+1}',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what must not be evaluated
      '${env:HOME}',
      '{{x}}',
      '$(id)',
      '`id`',
      '%{x}',
      '<%= 1 %>',
      'T(java.lang.Runtime)',
    );
    const text = fc
      .array(fc.oneof(pieces, fc.string({ unit: 'grapheme-ascii' })), { maxLength: 6 })
      .map((parts) => parts.join('').trim());
    fc.assert(
      fc.property(text, text, (value, parameter) => {
        const yaml = JSON.stringify({
          routes: [
            {
              id: 'a',
              path: '/a',
              to: 'service://web',
              headers: { 'x-in': value },
              query: { [`q${parameter}`]: parameter },
              filters: [{ setRequestHeader: { 'x-out': value } }, { setResponseHeader: { 'x-back': value } }],
            },
          ],
        });
        const [route] = readRoutes(yaml, 'routes.yaml').routes;
        assert.deepEqual(route?.headers, [['x-in', value]]);
        assert.deepEqual(route?.query, [[`q${parameter}`, parameter]]);
        assert.deepEqual(route?.filters, [
          { kind: 'setRequestHeader', fields: [['x-out', value]] },
          { kind: 'setResponseHeader', fields: [['x-back', value]] },
        ]);
      }),
    );
  });
});

function mistakesOf(work: () => unknown): readonly { where: string; key: string; problem: string }[] {
  try {
    work();
  } catch (thrown) {
    assert(thrown instanceof FlotillaError);
    assert.equal(thrown.code, 'CONFIG_INVALID');
    return (thrown.data as { mistakes: { where: string; key: string; problem: string }[] }).mistakes;
  }
  return assert.fail('nothing was refused');
}
