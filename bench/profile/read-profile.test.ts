import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type CpuProfile, summariseProfile } from './read-profile.ts';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 9 });
const ours = 'file:///x/packages/http/src/path.ts';

/** main calls parse, which calls itself and undici; 10 µs a sample. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 6] },
    { id: 2, callFrame: frame('main', 'file:///x/bench/main.ts'), children: [3] },
    { id: 3, callFrame: frame('parse', ours), children: [4, 5] },
    { id: 4, callFrame: frame('parse', ours) },
    { id: 5, callFrame: frame('send', 'file:///x/node_modules/undici/lib/a.js') },
    { id: 6, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 4, 5, 6, 6],
  timeDeltas: [0, 10, 10, 10, 10, 10, 10],
};

it('time that was idle is left out, and shares are of the rest', () => {
  const { busyMs, idleMs, self } = summariseProfile(profile);
  assert.deepEqual([busyMs, idleMs], [0.04, 0.02]);
  assert.deepEqual(self[0], { name: 'parse http/path.ts:10', share: 0.5 });
});

it('what a function calls is counted to it, recursion once', () => {
  const { inclusive } = summariseProfile(profile);
  assert.equal(inclusive.find(({ name }) => name.startsWith('parse'))?.share, 0.75);
  assert.equal(inclusive.find(({ name }) => name.startsWith('main'))?.share, 1);
});

it('files belong to a package of ours, of others, or to the bench', () => {
  const { packages } = summariseProfile(profile);
  assert.deepEqual(
    packages.filter(({ share }) => share > 0),
    [
      { name: 'http', share: 0.5 },
      { name: 'bench', share: 0.25 },
      { name: 'undici', share: 0.25 },
    ],
  );
});
