import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { systemClock } from '@flotilla/core';
import { followFiles } from './follow-files.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flotilla-follow-'));
});
after(() => rm(folder, { recursive: true }));

it('reads once at a time, and once more for all that changed meanwhile', async () => {
  const paths = [join(folder, 'a'), join(folder, 'b')];
  for (const path of paths) await writeFile(path, '1');
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let readings = 0;
  let reading = false;
  const follower = await followFiles(paths, systemClock, async () => {
    assert.equal(reading, false);
    reading = true;
    begun[readings]?.resolve();
    await gates[readings++]?.promise;
    reading = false;
  });
  for (const path of paths) await writeFile(path, '22');
  await begun[0]?.promise;
  for (const path of paths) await writeFile(path, '333');
  gates[0]?.resolve();
  await begun[1]?.promise;
  const closed = follower.close();
  gates[1]?.resolve();
  await closed;
  assert.equal(readings, 2);
  await writeFile(paths[0] ?? '', '4444');
  assert.equal(follower.close(), follower.close());
});
