import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from './ip-address.ts';
import { parseNetwork, parseTrustedProxies } from './ip-network.ts';

suite('parseTrustedProxies', () => {
  test('takes single addresses and ranges, of either version', () => {
    const proxies = parseTrustedProxies(['10.0.0.0/8', '192.168.1.7', 'fd00::/8', '::1']);
    for (const address of [
      '10.0.0.0',
      '10.255.255.255',
      '::ffff:10.1.1.1',
      '192.168.1.7',
      'fd12::1',
      '::1',
      '[::1]',
      'fd00::1%eth0',
    ]) {
      assert.equal(proxies.has(address), true, address);
    }
    for (const address of ['11.0.0.0', '9.255.255.255', '192.168.1.8', 'fe00::1', '::2', 'localhost', '', 'unix']) {
      assert.equal(proxies.has(address), false, address);
    }
  });

  test('a range of IPv6 holds no IPv4 address, and the other way round', () => {
    assert.equal(parseTrustedProxies(['::/0']).has('10.0.0.1'), false);
    assert.equal(parseTrustedProxies(['0.0.0.0/0']).has('::1'), false);
    assert.equal(parseTrustedProxies(['::ffff:10.0.0.0/104']).has('10.9.9.9'), true);
  });

  test('nobody is trusted by an empty list', () => {
    assert.equal(parseTrustedProxies([]).has('127.0.0.1'), false);
  });

  test('agrees with Node.js', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, fc.nat({ max: 128 }), fc.nat({ max: 127 }), (address, bits, flipped) => {
        const prefix = Math.min(bits, address.length * 8);
        const base = address.map((byte, index) => byte & (0xff << (8 - Math.min(8, Math.max(0, prefix - index * 8)))));
        const family = address.length === 4 ? 'ipv4' : 'ipv6';
        const theirs = new BlockList();
        theirs.addSubnet(formatAddress(base), prefix, family);
        const ours = parseTrustedProxies([`${formatAddress(base)}/${prefix}`]);
        const near = address.slice();
        const at = (flipped >> 3) % near.length;
        near[at] = (near[at] ?? 0) ^ (1 << (flipped & 7));
        for (const one of [address, near]) {
          assert.equal(
            ours.has(formatAddress(one)),
            theirs.check(formatAddress(one), family),
            `${formatAddress(one)} in /${prefix}`,
          );
        }
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});

suite('parseNetwork', () => {
  const mistakes: [text: string, said: RegExp][] = [
    ['', /write an address/],
    ['proxy.internal', /write an address/],
    ['10.0.0.0/', /a number from 0 to 32/],
    ['10.0.0.0/33', /a number from 0 to 32/],
    ['10.0.0.0/-1', /a number from 0 to 32/],
    ['::/129', /a number from 0 to 128/],
    ['::ffff:10.0.0.0/8', /a number from 96 to 128/],
    ['10.0.0.0/8/8', /write an address/],
    ['10.0.0.0/255.0.0.0', /a number from 0 to 32/],
    ['10.0.0.1/8', /bits set beyond its prefix of 8/],
    ['[::1]', /write an address/],
    ['fe80::1%eth0', /write an address/],
  ];
  for (const [text, said] of mistakes) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseNetwork(text), { code: 'CONFIG_INVALID', detail: said });
    });
  }
});
