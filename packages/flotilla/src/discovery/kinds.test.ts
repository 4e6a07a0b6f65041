import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, parseYaml, settings, urls } from '@flotilla/config';
import { nullLogger, systemClock, systemRandom } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { memoryNetwork } from '@flotilla/http/memory';
import { connectDiscovery } from './connect.ts';
import { registrySchemes } from './kinds.ts';

const page = await readFile(new URL('../../../../docs/discovery.md', import.meta.url), 'utf8');
const blocks = Array.from(page.matchAll(/```yaml\n([\s\S]*?)```/g), ([, block = '']) => block);
const schema = settings({ registry: urls({ protocols: registrySchemes }) });

function needs() {
  const clock = new ManualClock();
  return {
    network: memoryNetwork({ clock, random: seededRandom(1) }),
    clock,
    random: seededRandom(2),
    logger: nullLogger,
  };
}

test('the page about discovery names every scheme, and no other', () => {
  const rows = page.split('\n').filter((line) => /^\| `[a-z]/.test(line) && line.split('|').length === 9);
  const named = rows.flatMap((row) =>
    Array.from((row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g), ([, scheme = '']) => scheme),
  );
  assert.deepEqual(named.sort(), registrySchemes.map((scheme) => scheme.replace(':', '')).sort());
});

for (const block of blocks.filter((text) => text.startsWith('registry:'))) {
  test(`an example of the page is taken: ${block.trim()}`, async () => {
    const { registry } = loadConfig(schema, { files: [{ name: 'example', text: block }] }).values;
    if (registry[0] === 'kubernetes:') {
      await assert.rejects(connectDiscovery(registry, needs()), /it runs in none/);
      return;
    }
    const discovery = await connectDiscovery(registry, needs());
    await discovery.close();
  });
}

test('the file of the page is read as the page says, as YAML', async () => {
  const file = blocks.find((text) => text.startsWith('services:')) ?? '';
  assert.ok(parseYaml(file, 'services.yaml').value);
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-services-'));
  await writeFile(join(folder, 'services.yaml'), file);
  const discovery = await connectDiscovery([`file:${folder}/services.yaml`], {
    ...needs(),
    clock: systemClock,
    random: systemRandom,
  });
  try {
    const instances = await new Promise<readonly unknown[]>((resolve) => {
      discovery.resolver.watch({ service: 'orders' }, (set) => resolve(set.instances));
    });
    assert.deepEqual(
      instances.map((instance) => {
        const { id, zone, weight, status } = instance as Record<string, unknown>;
        return [id, zone, weight, status];
      }),
      [
        ['10.0.0.1:8080', undefined, 1, 'up'],
        ['second', 'eu-1', 2, 'draining'],
      ],
    );
  } finally {
    await discovery.close();
    await rm(folder, { recursive: true });
  }
});
