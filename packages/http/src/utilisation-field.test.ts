import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, compose } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { HttpHeaders } from './headers.ts';
import { parsePath } from './path.ts';
import { askUtilisation, readUtilisation, tellUtilisation, utilisationField } from './utilisation-field.ts';

const request = (): HttpRequest => ({
  method: 'GET',
  authority: 'orders',
  path: parsePath('/'),
  query: '',
  headers: new HttpHeaders(),
  body: undefined,
});

function exchange(wanted: boolean) {
  const heard: number[] = [];
  const seen: boolean[] = [];
  const listener = { wanted, utilisation: (share: number) => void heard.push(share) };
  const handle = compose(
    [askUtilisation(listener), tellUtilisation(() => 0.4321)],
    async ({ headers }: HttpRequest): Promise<HttpResponse> => {
      seen.push(headers.has(utilisationField));
      return { status: 200, headers: new HttpHeaders(), body: undefined };
    },
  );
  const call = new Call({ clock: new ManualClock(), random: seededRandom(1) });
  return { heard, seen, handle, call };
}

test('who asks is told, with three digits, and the request of the caller is left as it was', async () => {
  const { heard, seen, handle, call } = exchange(true);
  const sent = request();
  const { headers } = await handle(sent, call);
  assert.deepEqual([heard, seen, headers.get(utilisationField)], [[0.432], [true], '0.432']);
  assert.equal(sent.headers.has(utilisationField), false);
});

test('who does not ask is not told', async () => {
  const { heard, seen, handle, call } = exchange(false);
  const { headers } = await handle(request(), call);
  assert.deepEqual([heard, seen, headers.has(utilisationField)], [[], [false], false]);
});

test('what is no share is not believed', () => {
  for (const field of [undefined, '', '?', '-1', '1.5', '2', '0x1', 'NaN', '1e-1', '0.1234567', ' 0.5', '0.5, 0.6']) {
    assert.equal(readUtilisation(field), undefined, `${field}`);
  }
  assert.deepEqual(['0', '0.000', '0.5', '1', '1.000'].map(readUtilisation), [0, 0, 0.5, 1, 1]);
});
