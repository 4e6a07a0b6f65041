import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOfPromised, isAsPromised, readSteps } from './guide-steps.ts';

const block = (directive: string, text: string): string => `${directive}\n\`\`\`sh\n${text}\n\`\`\`\n`;

test('the steps of a guide are read in their order', () => {
  const guide = [
    '# A guide',
    '<!-- guide: ports 8080 3000 -->',
    '<!-- guide: needs java mvn -->',
    block('<!-- guide: file a.js -->', 'let a;'),
    block('<!-- guide: terminal app until it listens -->', 'node a.js'),
    block('<!-- guide: run -->', 'curl x'),
    block('<!-- guide: output -->', 'hello'),
    block('<!-- guide: shown -->', 'for the reader'),
    '<!-- guide: folder my-fleet -->',
    '<!-- guide: see app a.js … serving -->',
    '<!-- guide: stop app -->',
  ].join('\n');
  assert.deepEqual(
    readSteps(guide).map(({ line: _, ...step }) => step),
    [
      { kind: 'ports', ports: [8080, 3000] },
      { kind: 'needs', programs: ['java', 'mvn'] },
      { kind: 'file', name: 'a.js', text: 'let a;\n' },
      { kind: 'terminal', name: 'app', until: 'it listens', text: 'node a.js\n' },
      { kind: 'run', text: 'curl x\n' },
      { kind: 'output', text: 'hello\n' },
      { kind: 'folder', name: 'my-fleet' },
      { kind: 'see', name: 'app', text: 'a.js … serving' },
      { kind: 'stop', name: 'app' },
    ],
  );
});

test('a block that nobody checks, and a comment that nobody understands, are mistakes with their line', () => {
  assert.throws(() => readSteps(block('text', 'x')), /line 2: a block without/);
  assert.throws(() => readSteps(block('<!-- guide: rnu -->', 'x')), /line 2: "guide: rnu" is not understood/);
  assert.throws(() => readSteps('<!-- guide: run -->\nno block'), /line 1: "guide: run" has no block/);
  assert.throws(() => readSteps('<!-- guide: run -->\n```sh\nx'), /line 2: a block that has no end/);
});

test('an output is compared line by line; … stands for anything on a line', () => {
  assert.ok(isAsPromised('a … c\nd\n', 'a b c  \nd'));
  assert.ok(!isAsPromised('a … c\n', 'a\nc'));
  assert.ok(!isAsPromised('a\n', 'a\nb\n'));
  assert.ok(!isAsPromised('a.c\n', 'abc\n'));
});

test('what is to be seen is looked for on one line, and its end is known', () => {
  assert.equal(endOfPromised('b … d', 'a\nb c d e'), 7);
  assert.equal(endOfPromised('b … d', 'b\nd'), undefined);
});
