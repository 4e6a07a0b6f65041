import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseAddress } from './ip-address.ts';

suite('parseAddress and formatAddress', () => {
  const rows: [text: string, canonical: string][] = [
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['[::1]', '::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:1:0:0:0:0', '0:0:0:1::'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:0a01:0203', '10.1.2.3'],
    ['64:ff9b::10.1.2.3', '64:ff9b::a01:203'],
  ];
  for (const [text, canonical] of rows) {
    test(`${text} is ${canonical}`, () => assert.equal(formatted(text), canonical));
  }

  const wrong = [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '0x7f.1',
    '127.1',
    ' 1.2.3.4',
    '1.2.3.4\n',
  ];
  wrong.push(
    '::1::',
    ':::',
    ':1',
    '1:',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    '::g',
    '1.2.3.4::',
    '::1.2.3',
    'localhost',
    '[::1',
  );
  for (const text of wrong) {
    test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseAddress(text), undefined));
  }

  test('what is an address, Node.js says too', () => {
    const piece = fc.constantFrom('1', '0', 'ff', 'abcd', ':', '::', '.', '255', '256', '10.0.0.1', 'ffff');
    const texts = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const ours = parseAddress(text) !== undefined;
        const theirs = isIP(text) !== 0;
        // Node.js takes "::" for no group at all; we do not.
        assert.ok(ours === theirs || /^[^:]+(:[^:]+)*::[^:]+(:[^:]+)*$/.test(text), text);
      }),
      { seed: 1, numRuns: 5_000 },
    );
  });

  test('an IPv6 address is written as a URL writes it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const theirs = new URL(`http://[${text}]`).hostname.slice(1, -1);
        assert.ok(formatted(text) === theirs || theirs.startsWith('::ffff:'), `${text}: ${formatted(text)}, ${theirs}`);
      }),
      { seed: 2, numRuns: 2_000 },
    );
  });

  test('any bytes come back from what is written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.array(fc.nat({ max: 7 })), (bytes, zeros) => {
        for (const group of zeros) bytes.fill(0, 2 * group, 2 * group + 2);
        const mapped = formatted(formatAddress(bytes))?.includes('.');
        assert.ok(mapped || Buffer.from(parseAddress(formatAddress(bytes)) ?? []).equals(bytes), formatAddress(bytes));
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });
});

function formatted(text: string): string | undefined {
  const bytes = parseAddress(text);
  return bytes && formatAddress(bytes);
}
