import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { chunked, cut } from '../test/chunks.ts';
import { decodeLines, encodeLine } from './ndjson.ts';

suite('encodeLine', () => {
  test('is JSON and a line feed', () => {
    assert.equal(new TextDecoder().decode(encodeLine({ a: 'x\ny' })), '{"a":"x\\ny"}\n');
  });

  test('refuses what JSON cannot hold', () => {
    for (const value of [undefined, () => 1, Symbol('s'), 1n]) assert.throws(() => encodeLine(value), TypeError);
  });
});

suite('decodeLines', () => {
  test('however the bytes are cut, the lines are those of the whole text', async () => {
    const line = fc.oneof(fc.json({ maxDepth: 2 }), fc.constantFrom('', 'é€😀', 'a\rb', '\ufeff'));
    const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(text, fc.boolean(), fc.array(fc.nat()), async (parts, open, cuts) => {
        const whole = parts.flat().join('') + (open ? 'open' : '');
        const bytes = new TextEncoder().encode(whole);
        const expected = whole.split(/\r?\n/).filter((one) => one !== '');
        assert.deepEqual(await Array.fromAsync(decodeLines(chunked(cut(bytes, cuts)).body)), expected);
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });

  test('a line of exactly the limit is read, one byte more is refused, ended or not', async () => {
    const read = (text: string) => Array.fromAsync(decodeLines(chunked([...text]).body, { maxLineBytes: 5 }));
    assert.deepEqual(await read('12345\n1234é'.slice(0, 9)), ['12345', '123']);
    const code = { code: 'BAD_RESPONSE', detail: /longer than the limit of 5 bytes/ };
    await assert.rejects(read('123456'), code);
    await assert.rejects(read('1234é\n'), code);
  });

  test('a line that is not UTF-8 is refused', async () => {
    const read = Array.fromAsync(decodeLines(chunked([Uint8Array.of(0xff, 0x0a)]).body));
    await assert.rejects(read, { code: 'BAD_RESPONSE', detail: /not valid UTF-8/ });
  });

  test('leaving the loop tells the sender to stop', async () => {
    const source = chunked(['1\n2\n', '3\n']);
    for await (const line of decodeLines(source.body)) {
      assert.equal(line, '1');
      break;
    }
    assert.deepEqual(source.seen(), { taken: 1, left: true });
  });
});
