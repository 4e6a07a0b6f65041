import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeAdvice } from './node-advice.ts';

const linux = { platform: 'linux', arch: 'x64', glibc: true };

test('a Node that is new enough needs no word', () => {
  for (const node of ['24.18.1', '24.19.0', '25.0.0', '26.1.0-nightly'])
    assert.equal(nodeAdvice({ node, ...linux }), undefined);
});

test('on Linux with glibc the fleet brings its own, elsewhere it has to be installed', () => {
  for (const node of ['20.1.0', '24.18.0', '24.9.9'])
    assert.match(nodeAdvice({ node, ...linux }) ?? '', /"npm install" brings/);
  for (const other of [{ glibc: false }, { arch: 'ia32' }, { platform: 'darwin' }]) {
    assert.match(
      nodeAdvice({ node: '20.1.0', ...linux, ...other }) ?? '',
      /needs Node\.js 24\.18\.1 .* has 20\.1\.0\. Install/,
    );
  }
});
