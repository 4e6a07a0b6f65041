import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { queryParameter, queryParameters } from './query.ts';

const piece = fc.oneof(
  fc.constantFrom('a', 'b', '=', '&', '%41', '%', '+', '?', '#', ';', ' ', 'ü', '\ud800'),
  fc.string(),
);
const query = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

it('reads every query as URLSearchParams does', () => {
  fc.assert(
    fc.property(query, (text) => {
      assert.deepEqual(queryParameters(text), [...new URLSearchParams(text)]);
      assert.equal(queryParameter(text, 'a'), new URLSearchParams(text).get('a') ?? undefined);
    }),
  );
});
