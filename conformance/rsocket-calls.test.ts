import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { Call, parseTraceparent } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { calledOperations, contract, query } from '@flotilla/rpc';
import { CallMetadata, OutBuffer } from '@flotilla/rpc/rsocket';

interface Golden {
  readonly calls: readonly {
    name: string;
    contract: string;
    operation: string;
    remainingMs: number | null;
    hex: string;
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/rsocket-calls.json', import.meta.url), 'utf8'));

suite('the metadata of a call over RSocket, to the byte', () => {
  for (const { name, contract: called, operation, remainingMs, hex } of golden.calls) {
    test(name, () => {
      const clock = new ManualClock();
      const made = contract({ name: called, version: 1 }, { [operation]: query({}) });
      const target = calledOperations(made).get(operation);
      assert.ok(target);
      const trace = parseTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
      const deadline = remainingMs === null ? Infinity : clock.now() + remainingMs;
      const call = new Call({ clock, random: seededRandom(1), trace, deadline });
      const out = new OutBuffer(Buffer.alloc(16));
      new CallMetadata().prepare(target, call).writeTo(out);
      assert.equal(out.bytes.toString('hex', 0, out.length), hex.replaceAll(' ', ''));
    });
  }
});
