import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Cursor, formatCursor, parseCursor, resumeFrom } from '@flotilla/registry';

interface Golden {
  readonly cursors: readonly { readonly claim: string; readonly text: string; readonly cursor: Cursor }[];
  readonly noCursors: readonly { readonly claim: string; readonly text: string }[];
  readonly resumes: readonly {
    readonly claim: string;
    readonly cursor?: string;
    readonly registry: { readonly epoch: string; readonly oldest: number; readonly revision: number };
    readonly answer: ReturnType<typeof resumeFrom>;
  }[];
}

const golden = JSON.parse(readFileSync(new URL('golden/cursor.json', import.meta.url), 'utf8')) as Golden;

for (const { claim, text, cursor } of golden.cursors) {
  test(`a cursor: ${claim}`, () => {
    assert.deepEqual(parseCursor(text), cursor);
    assert.equal(formatCursor(cursor), text);
  });
}

for (const { claim, text } of golden.noCursors) {
  test(`no cursor: ${claim}`, () => assert.equal(parseCursor(text), undefined));
}

for (const { claim, cursor, registry, answer } of golden.resumes) {
  test(`a watcher that comes back: ${claim}`, () => assert.deepEqual(resumeFrom(cursor, registry), answer));
}
