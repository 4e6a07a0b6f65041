import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { camelCase, fleetNameProblem, pascalCase, serviceNameProblem } from './names.ts';

test('a service may be called in lower-case words with hyphens', () => {
  for (const name of ['catalog', 'order-desk', 'b2b', 'x', 'a'.repeat(50)])
    assert.equal(serviceNameProblem(name), undefined);
});

test('other names of services are refused with the rule', () => {
  for (const name of [
    '',
    'Catalog',
    '2go',
    'order_desk',
    'order--desk',
    '-a',
    'a-',
    '../etc',
    'a/b',
    'a.b',
    'ä',
    'a b',
  ]) {
    assert.match(serviceNameProblem(name) ?? '', /must be lower-case letters/, name);
  }
  assert.match(serviceNameProblem('a'.repeat(51)) ?? '', /51 characters; at most 50/);
});

test('a name that would hide what the generated files use is refused', () => {
  for (const name of ['run', 'service', 'registry', 'gateway', 'start-fleet', 'delete', 'class', 'z']) {
    assert.match(serviceNameProblem(name) ?? '', /is a word that the files of a service use/, name);
  }
});

test('every name that a template imports or declares is a used word', () => {
  const templates = ['fleet/services/notes', 'fleet/services/notes.test', 'fleet/contracts/notes'].concat(
    ['edge/sample', 'edge/sample.test', 'contracts/sample'].map((path) => `edge/${path}`),
  );
  for (const template of templates) {
    const text = readFileSync(new URL(`../templates/${template}.ts`, import.meta.url), 'utf8');
    const imported = [...text.matchAll(/import (?:\{([^}]+)\}|(\w+)) from/g)].flatMap(([, many, one]) =>
      (many ?? one ?? '').split(',').map((word) => word.replace(/^\s*(?:type )?/, '').trim()),
    );
    const declared = [...text.matchAll(/^\s*(?:export )?(?:await using|const) (\w+)/gm)].map(([, word = '']) => word);
    for (const word of [...imported, ...declared]) {
      if (/^(?:notes|sample|.*[A-Z].*)$/.test(word) && word !== 'startFleet') continue; // the name itself, and two words
      assert.ok(
        serviceNameProblem(word === 'startFleet' ? 'start-fleet' : word)?.includes('is a word'),
        `${template}: ${word}`,
      );
    }
  }
});

test('a fleet may be called like a package', () => {
  for (const name of ['my-fleet', 'shop2', '7seas', 'a.b_c']) assert.equal(fleetNameProblem(name), undefined);
  for (const name of ['', 'My', '.git', '_x', 'a b', 'node_modules', 'a/b']) assert.ok(fleetNameProblem(name), name);
  assert.match(fleetNameProblem('a'.repeat(215)) ?? '', /215 characters; at most 214/);
});

test('names become identifiers', () => {
  assert.deepEqual([camelCase('order-desk-2'), pascalCase('order-desk')], ['orderDesk2', 'OrderDesk']);
});
