import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { anInstance } from '../testing/instances.ts';
import { createRegistry } from './registry.ts';
import { Snapshots } from './snapshots.ts';

for (const size of [1, 5_000, 5_001, 6_000]) {
  test(`a list of ${size} instances is whole JSON with its cursor, at one go or in pieces`, async () => {
    const registry = createRegistry({ clock: new ManualClock(), random: seededRandom(1) });
    await registry.start();
    for (let n = 0; n < size; n++) registry.register(anInstance({ id: `i${n}`, service: `s${n % 7}` }));
    const body = new Snapshots(registry).body(undefined);
    const pieces: Uint8Array[] = [];
    if (body instanceof Uint8Array) pieces.push(body);
    else for await (const piece of body) pieces.push(piece);
    assert.equal(pieces.length > 1, size > 5_000);
    const list = JSON.parse(Buffer.concat(pieces).toString());
    assert.deepEqual([list.cursor, list.warming], [`${registry.epoch}:${size}`, true]);
    assert.equal(new Set(list.instances.map(({ id }: { id: string }) => id)).size, size);
    await registry.stop('test');
  });
}
