import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdvertiseInput, chooseAdvertisedHost, type Interfaces } from './advertise.ts';

const v4 = (address: string, internal = false) => ({ address, family: 'IPv4', internal }) as const;
const v6 = (address: string, internal = false) => ({ address, family: 'IPv6', internal }) as const;
const loopback = { lo: [v4('127.0.0.1', true), v6('::1', true)] };
const laptop: Interfaces = {
  ...loopback,
  docker0: [v4('172.17.0.1')],
  'br-4f2a': [v4('172.18.0.1')],
  veth12ab: [v6('fe80::1')],
  virbr0: [v4('192.168.122.1')],
  wlan0: [v6('fe80::2'), v6('2001:db8::7'), v4('192.168.1.20')],
};

const rows: readonly [claim: string, input: AdvertiseInput, host: string, reason: RegExp][] = [
  [
    'what the configuration says wins',
    { advertise: 'orders.internal', bindHost: '0.0.0.0', interfaces: laptop, towardsRegistry: '10.0.0.5' },
    'orders.internal',
    /the configuration says so/,
  ],
  ['an empty setting says nothing', { advertise: '', bindHost: '10.1.1.1', interfaces: {} }, '10.1.1.1', /binds to 10/],
  [
    'brackets are no part of a host',
    { advertise: '[2001:db8::1]', bindHost: '::', interfaces: {} },
    '2001:db8::1',
    /./,
  ],
  [
    'bound to loopback it is found on loopback',
    { bindHost: '127.0.0.1', interfaces: laptop, towardsRegistry: '10.0.0.5' },
    '127.0.0.1',
    /binds to 127\.0\.0\.1/,
  ],
  [
    'bound to one address it is found there',
    { bindHost: '10.2.0.7', interfaces: laptop },
    '10.2.0.7',
    /binds to 10\.2/,
  ],
  [
    'bound to every interface, the one that reaches the registry',
    { bindHost: '0.0.0.0', interfaces: laptop, towardsRegistry: '10.0.0.5' },
    '10.0.0.5',
    /every interface \(0\.0\.0\.0\); this is the address from which the registry is reached/,
  ],
  [
    'an IPv4 address in IPv6 clothes is taken out of them',
    { bindHost: '::', interfaces: laptop, towardsRegistry: '::ffff:10.0.0.5' },
    '10.0.0.5',
    /reached/,
  ],
  [
    'a registry on this machine says nothing about the way to others',
    { bindHost: '0.0.0.0', interfaces: laptop, towardsRegistry: '127.0.0.1' },
    '192.168.1.20',
    /first routable address, of wlan0/,
  ],
  [
    'bridges of containers and virtual machines, and link-local addresses, are passed over',
    { bindHost: '0.0.0.0', interfaces: laptop },
    '192.168.1.20',
    /of wlan0/,
  ],
  [
    'who was passed over is named, with what to set',
    { bindHost: '0.0.0.0', interfaces: laptop },
    '192.168.1.20',
    /passed over: 172\.17\.0\.1 of docker0 \(virtual\), .*2001:db8::7 of wlan0\. FLOTILLA_ADVERTISE or "advertise" sets/,
  ],
  [
    "Docker's bridge comes last, whatever it is called",
    {
      bindHost: '0.0.0.0',
      interfaces: { bridge0: [v4('172.17.0.1')], weird0: [v4('172.17.0.9')], eth1: [v4('10.4.0.2')] },
    },
    '10.4.0.2',
    /of eth1/,
  ],
  [
    'inside a container its address on that bridge is the only one there is',
    { bindHost: '0.0.0.0', interfaces: { ...loopback, eth0: [v4('172.17.0.5')] } },
    '172.17.0.5',
    /of eth0$/,
  ],
  ['IPv4 goes before IPv6', { bindHost: '::', interfaces: laptop }, '192.168.1.20', /of wlan0/],
  [
    'IPv6 is taken where there is nothing else',
    { bindHost: '::', interfaces: { ...loopback, eth0: [v6('fe80::1'), v6('2001:db8::9')] } },
    '2001:db8::9',
    /of eth0/,
  ],
  [
    'bound to IPv4 only, an IPv6 address would not answer',
    { bindHost: '0.0.0.0', interfaces: { ...loopback, eth0: [v6('2001:db8::9')] } },
    '127.0.0.1',
    /none has a routable address: only this machine will find it/,
  ],
  [
    'a self-assigned address is none',
    { bindHost: '0.0.0.0', interfaces: { eth0: [v4('169.254.3.4')] } },
    '127.0.0.1',
    /none/,
  ],
  ['no bind host means every interface', { bindHost: '', interfaces: { eth0: [v4('10.0.0.9')] } }, '10.0.0.9', /eth0/],
];

for (const [claim, input, host, reason] of rows) {
  test(claim, () => {
    const choice = chooseAdvertisedHost(input);
    assert.equal(choice.host, host);
    assert.match(choice.reason, reason);
  });
}
