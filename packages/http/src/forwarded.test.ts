import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { addForwarded, clientAddress, type ForwardedBy, type ForwardedField } from './forwarded.ts';
import { HttpHeaders } from './headers.ts';
import { parseTrustedProxies } from './ip-network.ts';

suite('addForwarded', () => {
  const rows: [name: string, before: [string, string][], by: ForwardedBy, after: [string, string][]][] = [
    [
      'a first proxy says all it knows',
      [],
      { peer: { address: '203.0.113.9' }, authority: 'shop.example', scheme: 'https' },
      [
        ['forwarded', 'for=203.0.113.9;host=shop.example;proto=https'],
        ['x-forwarded-for', '203.0.113.9'],
        ['x-forwarded-host', 'shop.example'],
        ['x-forwarded-port', '443'],
        ['x-forwarded-proto', 'https'],
      ],
    ],
    [
      'IPv6, ports and names of proxies are quoted where the grammar wants it',
      [],
      { peer: { address: 'FE80::1%eth0' }, authority: '[2001:db8::1]:8080', scheme: 'http', by: '_gateway-1' },
      [
        ['forwarded', 'by=_gateway-1;for="[fe80::1]";host="[2001:db8::1]:8080";proto=http'],
        ['x-forwarded-for', 'fe80::1'],
        ['x-forwarded-host', '[2001:db8::1]:8080'],
        ['x-forwarded-port', '8080'],
        ['x-forwarded-proto', 'http'],
      ],
    ],
    [
      'a later proxy adds its peer, and keeps what the first one said of the client',
      [
        ['forwarded', 'for=203.0.113.9;proto=https'],
        ['forwarded', 'for=10.0.0.1'],
        ['x-forwarded-for', '203.0.113.9, 10.0.0.1'],
        ['x-forwarded-host', 'shop.example'],
        ['x-forwarded-port', '443'],
        ['x-forwarded-proto', 'https'],
      ],
      { peer: { address: '::ffff:10.0.0.2' }, authority: 'inner:80', scheme: 'http' },
      [
        ['forwarded', 'for=203.0.113.9;proto=https, for=10.0.0.1, for=10.0.0.2;host="inner:80";proto=http'],
        ['x-forwarded-for', '203.0.113.9, 10.0.0.1, 10.0.0.2'],
        ['x-forwarded-host', 'shop.example'],
        ['x-forwarded-port', '443'],
        ['x-forwarded-proto', 'https'],
      ],
    ],
    [
      'a peer without an address is unknown',
      [],
      { peer: { address: '' }, authority: 'a', scheme: 'http' },
      [
        ['forwarded', 'for=unknown;host=a;proto=http'],
        ['x-forwarded-for', 'unknown'],
        ['x-forwarded-host', 'a'],
        ['x-forwarded-port', '80'],
        ['x-forwarded-proto', 'http'],
      ],
    ],
  ];
  for (const [name, before, by, after] of rows) {
    test(name, () => {
      const headers = new HttpHeaders(before);
      addForwarded(headers, by);
      assert.deepEqual([...headers].sort(), after);
    });
  }
});

suite('clientAddress', () => {
  const proxies = parseTrustedProxies(['10.0.0.0/8', 'fd00::/8']);
  const rows: [name: string, peer: string, field: ForwardedField, values: string[], client: string][] = [
    [
      'a peer that is not trusted is the client, whatever it says',
      '203.0.113.9',
      'x-forwarded-for',
      ['1.1.1.1'],
      '203.0.113.9',
    ],
    ['a trusted peer that says nothing is the client', '10.0.0.1', 'x-forwarded-for', [], '10.0.0.1'],
    [
      'the right-most address that is not trusted',
      '10.0.0.1',
      'x-forwarded-for',
      ['6.6.6.6, 203.0.113.9, 10.0.0.2'],
      '203.0.113.9',
    ],
    ['fields are one list', '10.0.0.1', 'x-forwarded-for', ['6.6.6.6', '203.0.113.9', '10.0.0.2'], '203.0.113.9'],
    ['when all are trusted, the left-most', '10.0.0.1', 'x-forwarded-for', ['10.0.0.3, 10.0.0.2'], '10.0.0.3'],
    [
      'an element that is no address ends the reading',
      '10.0.0.1',
      'x-forwarded-for',
      ['203.0.113.9, unknown, 10.0.0.2'],
      '10.0.0.2',
    ],
    ['an empty element too', '10.0.0.1', 'x-forwarded-for', ['203.0.113.9,'], '10.0.0.1'],
    ['elements may have a port', '10.0.0.1', 'x-forwarded-for', ['203.0.113.9:4711, [fd00::2]:80'], '203.0.113.9'],
    ['one host has one address', '::ffff:10.0.0.1', 'x-forwarded-for', ['::ffff:203.0.113.9'], '203.0.113.9'],
    ['IPv6 is written in one way', 'fd00::1', 'x-forwarded-for', ['2001:DB8:0:0:0:0:0:1'], '2001:db8::1'],
    [
      'at most five hops are read',
      '10.0.0.1',
      'x-forwarded-for',
      ['203.0.113.9, 10.0.0.6, 10.0.0.5, 10.0.0.4, 10.0.0.3, 10.0.0.2'],
      '10.0.0.6',
    ],
    ['a peer without an address is itself', 'unix', 'x-forwarded-for', ['1.1.1.1'], 'unix'],
    [
      'forwarded, when the proxies write that',
      '10.0.0.1',
      'forwarded',
      ['for=6.6.6.6, For="[2001:db8::9]:80";proto=http', 'proto=http;for=10.0.0.2'],
      '2001:db8::9',
    ],
    [
      'forwarded: commas and semicolons in quotes are text',
      '10.0.0.1',
      'forwarded',
      ['for=203.0.113.9;host="a,b;for=6.6.6.6\\""'],
      '203.0.113.9',
    ],
    [
      'forwarded: a hidden name ends the reading',
      '10.0.0.1',
      'forwarded',
      ['for=203.0.113.9, for=_hidden, for=10.0.0.2'],
      '10.0.0.2',
    ],
    [
      'forwarded: an element without for ends the reading',
      '10.0.0.1',
      'forwarded',
      ['for=203.0.113.9, proto=http'],
      '10.0.0.1',
    ],
    [
      'forwarded: an open quote hides nothing to its right',
      '10.0.0.1',
      'forwarded',
      ['for="6.6.6.6, for=203.0.113.9'],
      '10.0.0.1',
    ],
  ];
  for (const [name, address, field, values, client] of rows) {
    test(name, () => {
      const headers = new HttpHeaders(values.map((value) => [field, value]));
      assert.equal(clientAddress(headers, { address }, proxies, 5, field), client);
    });
  }

  test('the field that the proxies do not write is not read', () => {
    const headers = new HttpHeaders([['forwarded', 'for=6.6.6.6']]);
    assert.equal(clientAddress(headers, { address: '10.0.0.1' }, proxies), '10.0.0.1');
  });
});
