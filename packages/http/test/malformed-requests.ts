/** One connection's bytes, and what a strict server makes of them. */
export interface RawCase {
  readonly name: string;
  readonly bytes: string;
  /** The statuses that are answered, in order; then the connection closes. */
  readonly answers: readonly number[];
  /** Requests that reach the handler. */
  readonly handled?: number;
}

const host = 'Host: a.example\r\n';
const get = (fields: string): string => `GET / HTTP/1.1\r\n${fields}\r\n`;
const post = (fields: string, body = ''): string => `POST / HTTP/1.1\r\n${host}${fields}\r\n${body}`;
const target = (text: string): string => `GET ${text} HTTP/1.1\r\n${host}\r\n`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
const close = 'Connection: close\r\n';
const socket = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const version = 'Sec-WebSocket-Version: 13\r\n';
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

function refused(status: number, cases: Readonly<Record<string, string>>): RawCase[] {
  return Object.entries(cases).map(([name, bytes]) => ({ name, bytes, answers: [status] }));
}

/** Framing, RFC 9112 §6. */
const framing = refused(400, {
  'content-length and transfer-encoding together': post(
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    '0\r\n\r\n',
  ),
  'transfer-encoding and content-length together': post(
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
    '0\r\n\r\n',
  ),
  'two different content-lengths': post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello!'),
  'two equal content-lengths': post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
  'a list of content-lengths': post('Content-Length: 5, 5\r\n', 'hello'),
  'a content-length with a sign': post('Content-Length: +5\r\n', 'hello'),
  'a negative content-length': post('Content-Length: -1\r\n', 'hello'),
  'a hexadecimal content-length': post('Content-Length: 0x5\r\n', 'hello'),
  'an empty content-length': post('Content-Length: \r\n', 'hello'),
  'a content-length with a blank inside': post('Content-Length: 1 0\r\n', 'hello hell'),
  'a content-length with non-ASCII white space': post('Content-Length: \xa05\r\n', 'hello'),
  'a content-length over 2^53': post('Content-Length: 9007199254740993\r\n'),
  'a content-length over 2^64': post('Content-Length: 18446744073709551621\r\n', 'hello'),
  'a content-length with a decimal point': post('Content-Length: 5.0\r\n', 'hello'),
  'a list of codings': post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
  'chunked twice in one field': post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
  'chunked twice in two fields': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'identity behind chunked': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
  'an unknown coding': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
  'a coding with parameters': post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'),
  'a quoted coding': post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
  'an empty coding': post('Transfer-Encoding: \r\n', '0\r\n\r\n'),
  'an empty element before the coding': post('Transfer-Encoding: , chunked\r\n', '0\r\n\r\n'),
  'an empty element behind the coding': post('Transfer-Encoding: chunked,\r\n', '0\r\n\r\n'),
  'a vertical tab before the coding': post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
  'a coding in HTTP/1.0': `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
});

/** Chunks, RFC 9112 §7.1. */
const chunks: RawCase[] = Object.entries({
  'a chunk size with a prefix': chunked('0x5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a sign': chunked('+5\r\nhello\r\n0\r\n\r\n'),
  'a negative chunk size': chunked('-5\r\nhello\r\n0\r\n\r\n'),
  'a blank before the chunk size': chunked(' 5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a separator': chunked('5_0\r\nhello\r\n0\r\n\r\n'),
  'an empty chunk size': chunked('\r\nhello\r\n0\r\n\r\n'),
  'a chunk size over 2^64': chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'),
  'a chunk that is longer than its size': chunked('4\r\nhello\r\n0\r\n\r\n'),
  'a chunk that ends with a bare LF': chunked('5\r\nhello\n0\r\n\r\n'),
  'a chunk that ends with a bare CR': chunked('5\r\nhello\r0\r\n\r\n'),
  'a chunk size that ends with a bare LF': chunked('5\nhello\r\n0\r\n\r\n'),
  'a chunk size that ends with a bare CR': chunked('5\rhello\r\n0\r\n\r\n'),
  'a chunk extension with a NUL': chunked('5;a=\x00\r\nhello\r\n0\r\n\r\n'),
  'a chunk extension with a bare LF': chunked('5;a\nhello\r\n0\r\n\r\n'),
  'a trailer that ends with a bare LF': chunked('5\r\nhello\r\n0\r\nX: y\n\r\n'),
  'a trailer without a colon': chunked('5\r\nhello\r\n0\r\nXy\r\n\r\n'),
  'a trailer with a blank before its colon': chunked('5\r\nhello\r\n0\r\nX : y\r\n\r\n'),
  'a chunk size of more than 15 digits, with leading zeros': chunked('0000000000000005\r\nhello\r\n0\r\n\r\n'),
  'chunk extensions of more than 1 KiB in all': chunked(`5;a=${'b'.repeat(2_000)}\r\nhello\r\n0\r\n\r\n`),
  'trailers of more than 4 KiB': chunked(`0\r\n${`X: ${'y'.repeat(990)}\r\n`.repeat(6)}\r\n`),
}).map(([name, bytes]) => ({ name, bytes, answers: [400], handled: 1 })); // its head was fine

/** Header fields, RFC 9112 §5. */
const fields = [
  ...refused(400, {
    'a blank before the colon': get(`${host}X : y\r\n`),
    'a tab before the colon': get(`${host}X\t: y\r\n`),
    'a folded field': get(`${host}X: y\r\n z\r\n`),
    'a folded first field': get(` X: y\r\n${host}`),
    'a folded host': get('Host: a\r\n .example\r\n'),
    'a line without a colon': get(`${host}X\r\n`),
    'an empty name': get(`${host}: y\r\n`),
    'a name with a slash': get(`${host}X/Y: y\r\n`),
    'a name with an 8-bit character': get(`${host}X\xe9: y\r\n`),
    'a name with a NUL': get(`${host}X\x00: y\r\n`),
    'a value with a NUL': get(`${host}X: a\x00b\r\n`),
    'a value with a bare CR': get(`${host}X: a\rb\r\n`),
    'a value with a control character': get(`${host}X: a\x01b\r\n`),
    'a value with DEL': get(`${host}X: a\x7fb\r\n`),
    'a field that ends with a bare LF': get(`${host}X: y\n`),
    'a head that ends with a bare LF': `GET / HTTP/1.1\r\n${host}\n`,
    'a request line that ends with a bare LF': `GET / HTTP/1.1\n${host}\r\n`,
    'a request line that ends with a bare CR': `GET / HTTP/1.1\r${host}\r\n`,
  }),
  ...refused(431, {
    'one field over 8 KiB': get(`${host}X: ${'y'.repeat(8_200)}\r\n`),
    'fields over 16 KiB in all': get(`${host}${`X: ${'y'.repeat(4_000)}\r\n`.repeat(5)}`),
    'fields over what the parser takes': get(`${host}${`X: ${'y'.repeat(8_000)}\r\n`.repeat(5)}`),
    '65 fields': get(host + 'X: y\r\n'.repeat(64)),
    'a content-length hidden behind 2,000 fields': post(`${'X:y\r\n'.repeat(2_000)}Content-Length: 5\r\n`, 'hello'),
    'a content-length hidden behind 20,000 fields': post(`${'X:y\r\n'.repeat(20_000)}Content-Length: 5\r\n`, 'hello'),
  }),
];

/** Request line and target, RFC 9112 §3. */
const requestLines = [
  ...refused(400, {
    'a target without a leading slash': target('a'),
    'an empty target': `GET  HTTP/1.1\r\n${host}\r\n`,
    'a target with a blank': target('/a b'),
    'two blanks before the version': `GET /  HTTP/1.1\r\n${host}\r\n`,
    'a target with a tab': target('/a\tb'),
    'a target with a NUL': target('/a\x00b'),
    'a target with a control character': target('/a\x01b'),
    'a target with an 8-bit character': target('/\xe9'),
    'a target with a fragment': target('/a#b'),
    'a target with a backslash': target('/a\\b'),
    'a target with an encoded NUL': target('/a%00b'),
    'a target with a broken escape': target('/a%zz'),
    'a target above the root': target('/../etc/passwd'),
    'a target above the root, encoded': target('/%2e%2e/etc/passwd'),
    'a target of another scheme': target('ftp://a.example/'),
    'a target of another host': target('http://b.example/'),
    'a target with user info': target('http://u@a.example/'),
    'a target of another port': target('http://a.example:81/'),
    'an authority as the target of GET': target('a.example:80'),
    'the target "*" of GET': target('*'),
    'an unknown method': `FOO / HTTP/1.1\r\n${host}\r\n`,
    'a method in lower case': `get / HTTP/1.1\r\n${host}\r\n`,
    'a blank before the method': ` GET / HTTP/1.1\r\n${host}\r\n`,
    'a version that does not exist': `GET / HTTP/1.2\r\n${host}\r\n`,
    'a version in lower case': `GET / http/1.1\r\n${host}\r\n`,
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'no protocol at all': '\x00\x01\x02\x03',
  }),
  ...refused(405, {
    CONNECT: 'CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n',
    'CONNECT with a path': `CONNECT / HTTP/1.1\r\n${host}\r\n`,
    TRACE: `TRACE / HTTP/1.1\r\n${host}X-Secret: s\r\n\r\n`,
  }),
  ...refused(414, {
    'a request line over 8 KiB': target(`/${'a'.repeat(8_200)}`),
    'a request line over what the parser takes': target(`/${'a'.repeat(40_000)}`),
  }),
  ...refused(505, {
    'no version': `GET /\r\n${host}\r\n`,
    'HTTP/2.0 in the request line': `GET / HTTP/2.0\r\n${host}\r\n`,
    'HTTP/0.9 in the request line': `GET / HTTP/0.9\r\n${host}\r\n`,
  }),
];

/** Host, RFC 9110 §7.2, and Expect, §10.1.1. */
const hosts = [
  ...refused(400, {
    'no host': get(''),
    'no host in HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
    'two equal hosts': get(host + host),
    'two different hosts': get(`${host}Host: b.example\r\n`),
    'a list of hosts': get('Host: a.example, b.example\r\n'),
    'an empty host': get('Host: \r\n'),
    'a host with user info': get('Host: u@a.example\r\n'),
    'a host with a path': get('Host: a.example/x\r\n'),
    'a host with a query': get('Host: a.example?x\r\n'),
    'a host with a blank': get('Host: a example\r\n'),
    'a host with a port that is no number': get('Host: a.example:http\r\n'),
    'a host with a port over 65535': get('Host: a.example:65536\r\n'),
    'a host with an empty port': get('Host: a.example:\r\n'),
    'a host that is a URL': get('Host: http://a.example\r\n'),
  }),
  ...refused(417, {
    'an unknown expectation': post('Expect: 200-ok\r\nContent-Length: 5\r\n'),
    'an unknown expectation behind a known one': post('Expect: 100-continue, x\r\nContent-Length: 5\r\n'),
  }),
  ...refused(413, { 'a declared body over 10 MiB': post('Content-Length: 10485761\r\n') }),
];

/** What has to be taken, so that strictness does not become deafness. */
const good: RawCase[] = Object.entries({
  'a plain request': get(host + close),
  'a host with a port': get(`Host: a.example:65535\r\n${close}`),
  'an IPv6 host': get(`Host: [::1]:80\r\n${close}`),
  'absolute form of the same host': `GET http://A.example/x?y HTTP/1.1\r\n${host}${close}\r\n`,
  'OPTIONS of a path': `OPTIONS /x HTTP/1.1\r\n${host}${close}\r\n`,
  'chunks with an extension, which is dropped': post(
    `${close}Transfer-Encoding: CHUNKED\r\n`,
    '5;a=b\r\nhello\r\n0\r\n\r\n',
  ),
  'chunks with a trailer, which is dropped': post(
    `${close}Transfer-Encoding: chunked\r\n`,
    '5\r\nhello\r\n0\r\nX: y\r\n\r\n',
  ),
  'a body on GET': get(`${host}${close}Content-Length: 5\r\n`).concat('hello'),
  'a body on DELETE': `DELETE / HTTP/1.1\r\n${host}${close}Content-Length: 5\r\n\r\nhello`,
  'an empty value': get(`${host}${close}X:\r\n`),
  '64 fields': get(host + close + 'X: y\r\n'.repeat(62)),
  'an upgrade that is not served': get(`${host}${close}${socket}${version}${key}`),
  'an upgrade to two protocols': get(`${host}${close}${socket}Upgrade: h2c\r\n${version}${key}`),
  'an upgrade by POST': `POST / HTTP/1.1\r\n${host}${close}${socket}${version}${key}\r\n`,
  'an upgrade with a body': get(`${host}${close}${socket}${version}${key}Content-Length: 2\r\n`).concat('hi'),
  'an upgrade in HTTP/1.0': `GET / HTTP/1.0\r\n${host}${socket}${version}${key}\r\n`,
  'an upgrade to h2c': get(
    `${host}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n`,
  ),
  'HTTP/1.0, which closes by itself': `GET / HTTP/1.0\r\n${host}\r\n`,
  'an empty line before the request': `\r\n${get(host + close)}`,
}).map(([name, bytes]) => ({ name, bytes, answers: [200], handled: 1 }));

/** Several requests on one connection. */
const pipelines: RawCase[] = [
  { name: 'two requests at once', bytes: get(host) + get(host + close), answers: [200, 200], handled: 2 },
  { name: 'garbage behind a request', bytes: `${get(host)}garbage\r\n\r\n`, answers: [200, 400], handled: 1 },
  {
    name: 'garbage behind a body',
    bytes: `${post('Content-Length: 2\r\n', 'hi')}\x00\x01`,
    answers: [200, 400],
    handled: 1,
  },
  {
    name: 'a body longer than declared',
    bytes: post('Content-Length: 2\r\n', 'hi there'),
    answers: [200, 400],
    handled: 1,
  },
  {
    name: 'a refused request between two good ones',
    bytes: get(host) + get('') + get(host),
    answers: [200, 400],
    handled: 1,
  },
  {
    name: 'CONNECT behind a request',
    bytes: `${get(host)}CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n`,
    answers: [200, 405],
    handled: 1,
  },
  {
    name: '11 requests at once',
    bytes: get(host).repeat(10) + get(host + close),
    answers: Array(11).fill(200),
    handled: 11,
  },
  {
    name: '30 requests at once: those over the bound are not taken',
    bytes: get(host).repeat(30),
    answers: Array(11).fill(200),
    handled: 11,
  },
  {
    name: 'OPTIONS * is answered by the listener',
    bytes: `OPTIONS * HTTP/1.1\r\n${host}${close}\r\n`,
    answers: [204],
    handled: 0,
  },
];

/** Handshakes of WebSockets, RFC 6455 §4.2.1. What follows one is never read as a request. */
const handshakes: RawCase[] = [
  ...refused(426, {
    'a WebSocket without a version': get(host + socket + key) + get(host),
    'a WebSocket of another version': get(`${host}${socket}${key}Sec-WebSocket-Version: 8\r\n`) + get(host),
  }),
  ...refused(400, {
    'a WebSocket without a key': get(host + socket + version) + get(host),
    'a WebSocket with two keys': get(host + socket + version + key + key),
    'a WebSocket with a short key': get(`${host}${socket}${version}Sec-WebSocket-Key: c2hvcnQ=\r\n`),
    'a WebSocket without a host': get(socket + version + key),
    'a WebSocket with two hosts': get(host + host + socket + version + key),
    'a WebSocket at a path that climbs': `GET /../x HTTP/1.1\r\n${host}${socket}${version}${key}\r\n`,
  }),
];

export const malformedRequests: readonly RawCase[] = [
  ...framing,
  ...chunks,
  ...fields,
  ...requestLines,
  ...hosts,
  ...handshakes,
];
export const wellFormedRequests: readonly RawCase[] = [...good, ...pipelines];
