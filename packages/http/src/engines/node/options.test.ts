import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { systemClock, systemRandom } from '@flotilla/core';
import { listenerDefaults, nodeNetwork, poolDefaults } from './index.ts';
import { resolveLimits } from './options.ts';

it('a listener allows this much unless told otherwise', () => {
  assert.deepEqual(
    { ...listenerDefaults },
    {
      maxRequestLineBytes: 8_192,
      maxHeaderBytes: 16_384,
      maxHeaderFields: 64,
      maxFieldBytes: 8_192,
      maxBodyBytes: 10_485_760,
      headTimeoutMs: 10_000,
      bodyIdleMs: 30_000,
      minBodyBytesPerSecond: 1_024,
      bodyWindowMs: 30_000,
      keepAliveIdleMs: 60_000,
      keepAliveJitter: 0.2,
      maxRequestsPerConnection: 10_000,
      maxPipelined: 10,
      writeStallMs: 30_000,
      maxConnections: 10_000,
      maxConnectionsPerAddress: 1_000,
      maxDiscardBytes: 65_536,
      lingerMs: 2_000,
      drainQuietMs: 100,
      sweepMs: 1_000,
    },
  );
  assert.ok(Object.isFrozen(listenerDefaults));
});

it('a pool allows this much unless told otherwise', () => {
  assert.deepEqual(
    { ...poolDefaults },
    {
      maxConnections: 128,
      maxWaiting: 1_024,
      connectTimeoutMs: 1_000,
      keepAliveIdleMs: 4_000,
      maxHeaderBytes: 65_536,
      maxHeaderFields: 100,
      maxInterim: 16,
    },
  );
  assert.ok(Object.isFrozen(poolDefaults));
});

it('given limits override the defaults one by one; undefined counts as absent', () => {
  const limits = resolveLimits(poolDefaults, { maxConnections: 2, maxInterim: undefined as unknown as number });
  assert.deepEqual(limits, { ...poolDefaults, maxConnections: 2 });
});

it('a limit that is unknown or no number is refused when the network is made', () => {
  const make = (limits: object) => () => nodeNetwork({ clock: systemClock, random: systemRandom, limits });
  assert.throws(make({ maxConnection: 1 }), /RangeError: "maxConnection" is not a limit; there are .*maxConnections/);
  for (const value of [-1, Number.NaN, '10']) assert.throws(make({ lingerMs: value }), /RangeError: lingerMs must be/);
  assert.doesNotThrow(make({ maxBodyBytes: Infinity }));
});

it('the tables of the README say the same, limit by limit', async () => {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
  for (const [title, defaults] of [
    ['Limits of a listener', listenerDefaults],
    ['Limits of a pool', poolDefaults],
  ] as const) {
    const section = readme.split(`### ${title}\n`)[1]?.split('\n###')[0] ?? '';
    const rows = [...section.matchAll(/^\| `(\w+)` +\| ([\d.,]+) +\|/gm)];
    const documented = Object.fromEntries(
      rows.map(([, name = '', value = '']) => [name, Number(value.replaceAll(',', ''))]),
    );
    assert.deepEqual(documented, { ...defaults });
  }
});
