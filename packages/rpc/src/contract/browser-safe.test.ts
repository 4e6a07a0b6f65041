import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';

it('a contract imports nothing at run time but its own folder', () => {
  const seen = new Map<string, string[]>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    const imports = runtimeImports(readFileSync(path, 'utf8'));
    seen.set(path, imports);
    for (const specifier of imports) {
      assert.ok(specifier.startsWith('./'), `${path} imports "${specifier}"`);
      assert.ok(!specifier.includes('/../'), `${path} imports "${specifier}"`);
      visit(join(dirname(path), specifier));
    }
  };
  visit(join(import.meta.dirname, 'index.ts'));
  assert.ok(seen.size > 10, `only ${seen.size} files were looked at`);
});

it('a contract names no global of Node', () => {
  const names = readdirSync(import.meta.dirname).filter((name) => !name.endsWith('.test.ts'));
  for (const name of names) {
    const source = readFileSync(join(import.meta.dirname, name), 'utf8');
    assert.doesNotMatch(source, /\b(?:process\.|Buffer\b|require\()/, name);
  }
});

/** Type imports are gone at run time; what is left is what a browser would fetch. */
function runtimeImports(source: string): string[] {
  const statements = source.matchAll(
    /^(?:import|export)(?!\s+type\b)[^;]*?\sfrom\s+'([^']+)'|\bimport\s*\(?\s*'([^']+)'/gm,
  );
  return [...statements].map(([, from, bare]) => from ?? bare ?? '');
}
