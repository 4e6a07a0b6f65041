import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '@flotilla/core';
import { readConfigFiles, readSecretFiles } from './config-files.ts';
import { watchFile } from './watch-file.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flotilla-config-'));
});
after(() => rm(folder, { recursive: true }));

async function written(name: string, content: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

describe('readConfigFiles', () => {
  it('reads files in order', async () => {
    const paths = [await written('b.yaml', 'b: é'), await written('a.yaml', '')];
    assert.deepEqual(await readConfigFiles(paths), [
      { name: paths[0], text: 'b: é' },
      { name: paths[1], text: '' },
    ]);
  });

  it('names every file that cannot be read', async () => {
    const large = await written('large.yaml', 'x'.repeat(1_048_577));
    const binary = await written('binary.yaml', Uint8Array.of(0x61, 0xff));
    const absent = join(folder, 'absent.yaml');
    await assert.rejects(
      readConfigFiles([absent, large, binary, folder]),
      (error: { code: string; detail: string }) => {
        assert.equal(error.code, 'CONFIG_INVALID');
        assert.deepEqual(
          error.detail.split('\n  ').slice(1).sort(),
          [
            `${folder}: it is a directory`,
            `${absent}: there is no such file`,
            `${binary}: it is not UTF-8 text`,
            `${large}: the file is over the limit of 1048576 bytes`,
          ].sort(),
        );
        return true;
      },
    );
  });
});

describe('readSecretFiles', () => {
  it('reads what …_FILE names, and refuses what everybody may read', async () => {
    const files = await readSecretFiles({
      FLOTILLA_KEY_FILE: await written('key', 'abc\n'),
      FLOTILLA_OPEN_FILE: await written('open', 'abc', 0o644),
      FLOTILLA_LOST_FILE: join(folder, 'lost'),
      OTHER_FILE: join(folder, 'key'),
      FLOTILLA_KEY: 'x',
    });
    assert.deepEqual([...files.keys()], ['FLOTILLA_KEY_FILE', 'FLOTILLA_OPEN_FILE', 'FLOTILLA_LOST_FILE']);
    assert.deepEqual(files.get('FLOTILLA_KEY_FILE'), { text: 'abc\n' });
    assert.deepEqual(files.get('FLOTILLA_OPEN_FILE'), {
      problem: 'everybody on this machine may use it (mode 644); run chmod o-rwx on it',
    });
    assert.deepEqual(files.get('FLOTILLA_LOST_FILE'), { problem: 'there is no such file' });
  });
});

describe('watchFile', () => {
  const changes: [claim: string, change: (path: string) => Promise<unknown>][] = [
    ['a write in place', (path) => writeFile(path, 'changed')],
    ['a new file renamed over it', async (path) => rename(await written('new', 'changed'), path)],
    ['a removal and a new file', async (path) => unlink(path).then(() => writeFile(path, 'changed'))],
    [
      'a link that is swapped',
      async (path) => {
        const link = join(folder, 'link');
        await symlink(await written('target', 'changed'), link);
        await rename(link, path);
      },
    ],
  ];
  for (const [claim, change] of changes) {
    it(`announces ${claim}`, async () => {
      const path = await written(`watched ${claim}`, 'before');
      const changed = Promise.withResolvers<void>();
      const watch = await watchFile(path, systemClock, changed.resolve);
      // The watch does not keep the process alive; this does, until the change is announced.
      const alive = systemClock.setTimer(10_000, () => changed.reject(new Error('the change was not announced')));
      try {
        await change(path);
        await changed.promise;
      } finally {
        alive.cancel();
        watch.close();
      }
    });
  }

  it('announces each change once, and a file that appears later', async () => {
    const path = join(folder, 'later');
    let announced = 0;
    let next = Promise.withResolvers<void>();
    const watch = await watchFile(path, systemClock, () => {
      announced += 1;
      next.resolve();
    });
    const alive = systemClock.setTimer(10_000, () => next.reject(new Error('the change was not announced')));
    try {
      for (const text of ['a', 'bb', 'ccc']) {
        next = Promise.withResolvers<void>();
        await writeFile(path, text);
        await next.promise;
      }
      assert.equal(announced, 3);
    } finally {
      alive.cancel();
      watch.close();
      watch.close();
    }
  });

  it('finds a file by looking alone, where there was not even a folder to watch', async () => {
    const inner = join(folder, 'absent-folder');
    const found = Promise.withResolvers<void>();
    const watch = await watchFile(join(inner, 'file'), systemClock, found.resolve);
    const alive = systemClock.setTimer(10_000, () => found.reject(new Error('the file was not found')));
    try {
      await mkdir(inner);
      await writeFile(join(inner, 'file'), 'x');
      await found.promise;
    } finally {
      alive.cancel();
      watch.close();
    }
  });
});
