import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Cancelled, type Question, terminalAsker } from './ask.ts';

const question: Question = {
  text: 'Which?',
  fallback: 'a',
  problem: (answer) => (answer.length === 1 ? undefined : `"${answer}" is too long`),
};

test('an empty line takes the default, an answer that does not fit is told why and asked again', async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const asker = terminalAsker(input, output);
  input.write('\nlong\nb\n'); // all at once, as a paste
  assert.equal(await asker.ask(question), 'a');
  assert.equal(await asker.ask(question), 'b');
  asker.close();
  assert.equal(String(output.read()), 'Which? (a) Which? (a)   "long" is too long\nWhich? (a) ');
});

test('the end of the input ends the asking', async () => {
  const input = new PassThrough();
  const asker = terminalAsker(input, new PassThrough());
  const answer = asker.ask(question);
  input.end();
  await assert.rejects(answer, Cancelled);
});
