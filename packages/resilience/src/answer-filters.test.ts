import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { type AnswerPolicies, answerFilters, liveAnswers } from './answer-filters.ts';
import { clientPolicyDefaults, resolveClientPolicies } from './client-policies.ts';

const plan = { join: (requests: readonly string[]) => requests.join(), split: () => [], prepare() {} };
const needs = {
  operation: 'catalog.product',
  target: 'catalog',
  keyOf: (request: string) => request,
  groupOf: () => '',
  plan,
};
const all = resolveClientPolicies({ cache: { enabled: true }, singleFlight: { enabled: true } });

test('a call meets what may spare it from the cheapest on', () => {
  const entries = answerFilters({ ...needs, policies: all });
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['cache', 'singleFlight', 'batch'],
  );
  for (const { reason } of entries) assert.ok(reason.length > 20);
});

test('with nothing configured there is nothing', () => {
  assert.deepEqual(answerFilters({ ...needs, plan: undefined, policies: clientPolicyDefaults }), []);
});

test('what is configured anew counts for the next call; what stays the same keeps its answers', async () => {
  const clock = new ManualClock();
  const operation = {};
  let policies: AnswerPolicies = clientPolicyDefaults;
  let asked = 0;
  const answers = liveAnswers<object, string, string>({
    operationOf: () => operation,
    policiesOf: () => policies,
    needsOf: () => ({ ...needs, plan: undefined }),
  });
  const handle = answers.filter(async (request, call) => {
    asked += 1;
    call.end();
    return request;
  });
  const ask = () => handle('a', new Call({ clock, random: seededRandom(1) }));
  const askedBy = async (times: number): Promise<number> => {
    const before = asked;
    for (let turn = 0; turn < times; turn++) assert.equal(await ask(), 'a');
    return asked - before;
  };
  assert.equal(await askedBy(2), 2);
  policies = all;
  assert.equal(await askedBy(3), 1);
  policies = { ...all };
  assert.equal(await askedBy(3), 0);
  answers.forget((key) => key === 'a');
  assert.equal(await askedBy(3), 1);
  policies = clientPolicyDefaults;
  assert.equal(await askedBy(2), 2);
});
