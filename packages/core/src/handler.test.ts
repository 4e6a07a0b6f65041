import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from './call.ts';
import { compose, type Filter } from './handler.ts';
import { ManualClock, seededRandom } from './testing/index.ts';

test('the first filter listed meets the request first and the answer last', async () => {
  const seen: string[] = [];
  const tag =
    (name: string): Filter<string, string> =>
    (next) =>
    async (request, call) => {
      seen.push(`>${name}`);
      const answer = await next(request, call);
      seen.push(`<${name}`);
      return answer;
    };
  const handler = compose([tag('a'), tag('b')], async (request: string) => request.toUpperCase());
  assert.equal(await handler('x', new Call({ clock: new ManualClock(), random: seededRandom(1) })), 'X');
  assert.deepEqual(seen, ['>a', '>b', '<b', '<a']);
});
