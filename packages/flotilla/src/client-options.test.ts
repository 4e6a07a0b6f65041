import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nullLogger, nullMeter, nullTracer } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { contract, query } from '@flotilla/rpc';
import { type ClientRuntime, createLazyClient } from './client.ts';
import type { ContractClientOptions } from './client-options.ts';

const orders = contract({ name: 'orders', version: 1 }, { list: query({}), find: query({}) });

function connect(options: unknown): void {
  const resolver = { watch: () => ({ close() {} }) };
  const runtime = { clock: new ManualClock(), logger: nullLogger, meter: nullMeter, tracer: nullTracer, resolver };
  const network = { connect: () => assert.fail('nobody is called') };
  const lazy = createLazyClient(orders, options as ContractClientOptions<typeof orders>);
  lazy.connect({ ...runtime, network, random: () => 0 } as unknown as ClientRuntime);
}

const mistakes: readonly [object, RegExp][] = [
  [{ timeoutms: 5 }, /: "timeoutms" is no option of a client; did you mean "timeoutMs"\?$/],
  [{ timeoutMs: '100' }, /: timeoutMs must be greater than 0, got "100"$/],
  [{ breaker: { openms: 5 } }, /: breaker\.openms is no setting; did you mean "openMs"\?$/],
  [{ breaker: 5 }, /: breaker must be an object of settings, got 5$/],
  [{ hedge: null }, /: hedge must be an object of settings, got null$/],
  [
    { operations: { lsit: { retries: 0 } } },
    /: operations: the contract has no operation "lsit"; did you mean "list"\?$/,
  ],
  [{ operations: { list: { retries: -1 } } }, /: retries must be a whole number from 0 to 10, got -1$/],
  [{ fallback: { list: {} } }, /: the fallback of "list" has neither value nor answer$/],
];

for (const [options, message] of mistakes) {
  test(`${JSON.stringify(options)} is refused: whose option it is, and what would fit`, () => {
    assert.throws(() => connect(options), { name: 'RangeError', message });
    assert.throws(() => connect(options), /^RangeError: the client of contract "orders" cannot be made: /);
  });
}

test('operations may be named with their contract', () => {
  connect({ operations: { 'orders.list': { retries: 0 }, find: { timeoutMs: 5 } } });
});
