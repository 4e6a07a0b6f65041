import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balanceDefaults } from '@flotilla/balance';
import { loadConfig, type Settings, settings } from '@flotilla/config';
import { FlotillaError } from '@flotilla/core';
import { balanceSetting } from './balance-settings.ts';
import { clientsSetting } from './policy-settings.ts';

interface Properties {
  readonly properties?: Readonly<Record<string, Properties>>;
}

function keysOf({ properties }: Properties, at = ''): string[] {
  return Object.entries(properties ?? {}).flatMap(([name, inner]) =>
    inner.properties ? keysOf(inner, `${at}${name}.`) : `${at}${name}`,
  );
}

function flat(values: object, at = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? flat(value, `${at}${name}.`) : `${at}${name}`,
  );
}

test('every setting of the balance can be configured, but for those of a cluster that one makes oneself', () => {
  const own = ['firstSetTimeoutMs', 'maxWaiting'];
  assert.deepEqual(
    keysOf(balanceSetting.jsonSchema as Properties),
    flat(balanceDefaults).filter((key) => !own.includes(key)),
  );
});

const schema: Settings<{ clients: unknown }> = settings({ clients: clientsSetting }) as never;
const load = (balance: object) =>
  loadConfig(schema, {
    files: [{ name: 'flotilla.yaml', text: JSON.stringify({ clients: { orders: { balance } } }) }],
  });

test('what is not written is absent, so that it does not win over the code', () => {
  const { values } = load({ pick: 'hash', zone: { prefer: false } });
  assert.deepEqual(JSON.parse(JSON.stringify(values)).clients.orders.balance, {
    pick: 'hash',
    subset: {},
    zone: { prefer: false },
    lane: {},
    outlier: {},
  });
});

const misfits: readonly [object, RegExp][] = [
  [{ pick: 'best' }, /clients\.orders\.balance\.pick: must be one of .*"sticky".*got "best"/],
  [{ warmUpMs: -1 }, /clients\.orders\.balance\.warmUpMs: must be an integer from 0 to 3600000, got -1/],
  [{ outlier: { panicFraction: 2 } }, /outlier\.panicFraction: must be a number from 0 to 1, got 2/],
  [{ zone: { perfer: true } }, /zone\.perfer: no such key; did you mean "prefer"\?/],
];
for (const [balance, message] of misfits) {
  test(`${JSON.stringify(balance)} is refused by name`, () => {
    assert.throws(
      () => load(balance),
      (thrown) => thrown instanceof FlotillaError && message.test(thrown.message),
    );
  });
}
