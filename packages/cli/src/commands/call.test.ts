import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bind } from '@flotilla/rpc';
import { contract, duplex, error, query, stream, upload } from '@flotilla/rpc/contract';
import * as z from 'zod';
import { type Serving, serving } from '../../test/serving.ts';
import { call } from './call.ts';

const tides = contract(
  { name: 'tides', version: 1 },
  {
    at: query({
      in: z.object({ port: z.string() }),
      out: z.object({ cm: z.int() }),
      errors: { DRY: error(404, z.string()) },
    }),
    total: upload({ in: z.object({ cm: z.int() }), out: z.int() }),
    mirror: duplex({ in: z.object({ cm: z.int() }), out: z.object({ cm: z.int() }) }),
    follow: stream({ in: z.object({ to: z.number() }), out: z.object({ cm: z.int() }) }),
  },
);
let left = Promise.withResolvers<string>();
let fleet: Serving;
before(async () => {
  fleet = await serving(
    bind(tides, {
      at: ({ port }, { fail }) => (port === 'dry' ? fail('DRY', 'no water') : { cm: port.length }),
      async total(all) {
        let total = 0;
        for await (const { cm } of all) total += cm;
        return total;
      },
      async *mirror(all) {
        for await (const { cm } of all) yield { cm: -cm };
      },
      async *follow({ to }, handled) {
        handled.onCancel(({ code }) => left.resolve(code));
        for (let cm = 1; cm <= to; cm++) yield { cm };
        if (to === 2) await new Promise(() => {}); // the tide turns
      },
    }),
  );
});
after(() => fleet.end());

const noInput: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} };

/** What is printed, until `interrupted` or the end. */
async function printed(
  operation: string,
  args: readonly string[],
  { json = false, interrupted = new AbortController().signal, onPrint = (_: string) => {}, input = noInput } = {},
): Promise<string[]> {
  const lines: string[] = [];
  const print = (text: string): void => {
    lines.push(text);
    onPrint(text);
  };
  await call({ client: fleet.client, input, interrupted }, { operation }, args, { print, json });
  return lines;
}

test('an answer is printed for a person, or as JSON with its status', async () => {
  assert.deepEqual(await printed('tides.at', ['--port', 'abc']), ['{\n  "cm": 3\n}']);
  const [document = ''] = await printed('tides.at', ['{"port":"abc"}'], { json: true });
  assert.deepEqual(JSON.parse(document), { status: 200, value: { cm: 3 } });
});

test('elements are printed as they come, a document on each line', async () => {
  assert.deepEqual(await printed('tides.follow', ['--to', '3']), ['{"cm":1}', '{"cm":2}', '{"cm":3}']);
});

test('an interrupt ends a stream that goes on, and its handler sees it', async () => {
  left = Promise.withResolvers();
  const interrupt = new AbortController();
  const onPrint = (line: string): void => {
    if (line === '{"cm":2}') interrupt.abort();
  };
  const following = printed('tides.follow', ['--to', '2'], { interrupted: interrupt.signal, onPrint });
  await assert.rejects(following, { code: 'CANCELLED' });
  assert.equal(await left.promise, 'CANCELLED');
});

test('elements to send are read line by line, as the callee wants them', async () => {
  const lines = (...texts: string[]): AsyncIterable<Uint8Array> => ({
    async *[Symbol.asyncIterator]() {
      for (const text of texts) yield Buffer.from(text);
    },
  });
  const input = lines('{"cm":1}\n\n{"cm"', ':2}\n{"cm":39}');
  assert.deepEqual(await printed('tides.total', [], { input }), ['42']);
  assert.deepEqual(await printed('tides.total', ['--cm', '7']), ['7']);
  assert.deepEqual(await printed('tides.mirror', [], { input }), ['{"cm":-1}', '{"cm":-2}', '{"cm":-39}']);
  await assert.rejects(printed('tides.total', [], { input: lines('{"cm":1}\n{"cm":x}\n') }), {
    code: 'INVALID_INPUT',
    message: /line 2 of the input is no JSON: \{"cm":x\}/,
  });
  await assert.rejects(printed('tides.total', [], { input: lines('{"cm":1}\n{"cm":"x"}\n') }), {
    code: 'INVALID_INPUT',
    message: /element 1 of tides\.total does not take this: "cm": must be an integer/,
  });
});

test('an error of the contract comes with its data; what does not fit is refused by field', async () => {
  await assert.rejects(printed('tides.at', ['--port', 'dry']), { code: 'DRY', data: 'no water', fromPeer: true });
  await assert.rejects(printed('tides.at', []), { code: 'INVALID_INPUT', message: /"port": is missing/ });
  await assert.rejects(printed('tides.now', []), { code: 'NO_ROUTE', message: /no operation "now"/ });
  await assert.rejects(printed('tides.at', ['{"port"']), { code: 'INVALID_INPUT', message: /the input is no JSON/ });
  await assert.rejects(printed('tides.at', ['{}', '--a']), { message: /"--a" stands behind the whole input/ });
});
