import assert from 'node:assert/strict';
import * as z from 'zod';
import {
  bind,
  bytes,
  command,
  contract,
  duplex,
  error,
  get,
  type Handlers,
  notify,
  query,
  stream,
  upload,
} from '../src/index.ts';
import { CallsPair } from './calls-pair.ts';

export const Key = z.object({ id: z.string() });
export const shop = contract(
  { name: 'shop', version: 4 },
  {
    item: query({ in: Key, out: Key, errors: { GONE: error(410, Key) }, http: get('/items/{id}') }),
    order: command({ in: z.object({ count: z.number().default(1) }), out: z.object({ key: z.string() }) }),
    seen: notify({ in: Key }),
    clear: command({}),
    counts: stream({ in: z.object({ to: z.number() }), out: z.number() }),
    sum: upload({ in: z.number(), out: z.number() }),
    double: duplex({ in: z.number(), out: z.number() }),
    picture: query({ in: Key, out: bytes({ type: 'image/png' }) }),
  },
);

export const handlers: Handlers<typeof shop> = {
  item: ({ id }, call) => (id === 'gone' ? call.fail('GONE', { id }, 'sold') : { id }),
  order: ({ count }, call) => ({ key: `${count} ${call.idempotencyKey}` }),
  seen: () => {},
  clear: () => {},
  async *counts({ to }) {
    for (let n = 1; n <= to; n++) yield n;
  },
  async sum(numbers) {
    let sum = 0;
    for await (const n of numbers) sum += n;
    return sum;
  },
  async *double(numbers) {
    for await (const n of numbers) yield 2 * n;
  },
  picture: () => new Uint8Array(1),
};

export function serving(more: Partial<Handlers<typeof shop>> = {}, ...rest: [object?, object?]): CallsPair {
  return new CallsPair([bind(shop, { ...handlers, ...more })], ...rest);
}

export function assertIdle({ pair: { client, server } }: CallsPair): void {
  assert.deepEqual([client.outstanding, server.inFlight], [0, 0]);
}

export async function* elementsOf<T>(...elements: T[]): AsyncIterable<T> {
  yield* elements;
}

export async function collect<T>(elements: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const element of elements) all.push(element);
  return all;
}
