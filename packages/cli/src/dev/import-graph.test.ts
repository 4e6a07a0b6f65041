import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesBehind } from './import-graph.ts';

test('a file stands on what it imports, through others too, and cycles end', () => {
  const files: Record<string, string> = {
    'services/a.ts': `import { b } from '../contracts/b.ts';\nimport 'flotilla';\nimport type { C } from "./c.ts";`,
    'contracts/b.ts': `export * from './d.ts';`,
    'services/c.ts': `const lazy = () => import('./a.ts');`,
    'contracts/d.ts': `import { missing } from './missing.ts';`,
    'services/unrelated.ts': '',
  };
  assert.deepEqual([...filesBehind('services/a.ts', (path) => files[path])].sort(), [
    'contracts/b.ts',
    'contracts/d.ts',
    'services/a.ts',
    'services/c.ts',
  ]);
});
