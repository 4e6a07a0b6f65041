import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete } from './complete.ts';
import type { Asker, Question } from './engines/ask.ts';

const open = { folder: undefined, start: undefined, yes: false };

/** Answers in turn, as far as they fit, and keeps what was asked. */
function answering(...answers: string[]): { asker: () => Asker; asked: string[]; closed: () => boolean } {
  const asked: string[] = [];
  const closing: string[] = [];
  const ask = async ({ text, problem }: Question): Promise<string> => {
    asked.push(text);
    for (let answer = answers.shift(); answer !== undefined; answer = answers.shift()) {
      if (problem(answer) === undefined) return answer;
    }
    throw new Error('no answer fitted');
  };
  return { asker: () => ({ ask, close: () => closing.push('closed') }), asked, closed: () => closing.length === 1 };
}

test('two questions at most, and only for what is open', async () => {
  const both = answering('Bad Name', 'shop', 'moon', 'backend');
  assert.deepEqual(await complete(open, both.asker), { folder: 'shop', start: 'backend' });
  assert.deepEqual([both.asked.length, both.closed()], [2, true]);
  const one = answering('edge');
  assert.deepEqual(await complete({ ...open, folder: 'shop' }, one.asker), { folder: 'shop', start: 'edge' });
  assert.equal(one.asked.length, 1);
  const none = answering();
  await complete({ folder: 'shop', start: 'edge', yes: false }, none.asker);
  await complete({ ...open, yes: true }, none.asker);
  assert.equal(none.asked.length, 0);
});

test('an asking that ends early closes the terminal', async () => {
  const rude = answering();
  await assert.rejects(complete(open, rude.asker), /no answer fitted/);
  assert.equal(rude.closed(), true);
});

test('where nobody can answer the defaults stand, but for the folder', async () => {
  assert.deepEqual(await complete({ ...open, folder: 'shop' }, undefined), { folder: 'shop', start: 'edge' });
  assert.deepEqual(await complete({ ...open, yes: true }, undefined), { folder: 'my-fleet', start: 'edge' });
  await assert.rejects(complete(open, undefined), /nobody can answer here/);
});
