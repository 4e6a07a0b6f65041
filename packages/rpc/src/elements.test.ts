import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError, systemClock, systemRandom } from '@flotilla/core';
import { nodeNetwork } from '@flotilla/http/node';
import * as z from 'zod';
import { Fleet, problemOf } from '../test/fleet.ts';
import { contract, del, duplex, error, get, post, upload } from './contract/index.ts';
import { bind, type Handlers } from './handlers.ts';
import { contractHandler, createClient, httpCalls, openApiOf } from './index.ts';

const Reading = z.object({ celsius: z.number() });
const Mean = z.object({ count: z.number(), celsius: z.number() });
const weather = contract(
  { name: 'weather', version: 1 },
  {
    record: upload({ in: Reading, out: Mean, errors: { FROZEN: error(409, z.object({ at: z.number() })) } }),
    drop: upload({ in: Reading }),
    smooth: duplex({ in: Reading, out: Reading }),
  },
);

const handlers: Handlers<typeof weather> = {
  async record(readings, call) {
    let count = 0;
    let sum = 0;
    for await (const { celsius } of readings) {
      if (celsius < -200) call.fail('FROZEN', { at: count });
      count++;
      sum += celsius;
    }
    return { count, celsius: sum / count };
  },
  async drop() {},
  async *smooth(readings) {
    let last = 0;
    for await (const { celsius } of readings) {
      last = (last + celsius) / 2;
      yield { celsius: last };
    }
  },
};

async function serving(more: Partial<Handlers<typeof weather>> = {}, maxBodyBytes?: number): Promise<Fleet> {
  const fleet = new Fleet();
  const limits = maxBodyBytes === undefined ? undefined : { maxBodyBytes };
  await fleet.serve([bind(weather, { ...handlers, ...more })], limits);
  return fleet;
}

const degrees = (...celsius: readonly number[]): { celsius: number }[] => celsius.map((each) => ({ celsius: each }));

async function collect<T>(elements: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const element of elements) all.push(element);
  return all;
}

describe('upload: many elements, one answer', () => {
  it('takes a list', async () => {
    const fleet = await serving();
    assert.deepEqual(await fleet.client(weather).record(degrees(10, 20, 30)), { count: 3, celsius: 20 });
    fleet.assertIdle();
  });

  it('takes a generator, and asks it for no more than the handler reads', async () => {
    let asked = 0;
    let left = false;
    const fleet = await serving({
      async record(readings) {
        for await (const reading of readings) return { count: 1, celsius: reading.celsius };
        return { count: 0, celsius: 0 };
      },
    });
    async function* endless(): AsyncGenerator<{ celsius: number }> {
      try {
        for (;;) yield { celsius: ++asked };
      } finally {
        left = true;
      }
    }
    assert.deepEqual(await fleet.client(weather).record(endless()), { count: 1, celsius: 1 });
    await fleet.clock.advance(1);
    assert.ok(asked < 10_000, `${asked} were asked for`);
    assert.ok(left, 'the generator was left');
    fleet.assertIdle();
  });

  it('of nothing is an upload too', async () => {
    const fleet = await serving({
      record: async (readings) => ({ count: (await collect(readings)).length, celsius: 0 }),
    });
    assert.deepEqual(await fleet.client(weather).record([]), { count: 0, celsius: 0 });
    fleet.assertIdle();
  });

  it('answers an error that its contract declares', async () => {
    const fleet = await serving();
    await assert.rejects(fleet.client(weather).record(degrees(1, -300)), { code: 'FROZEN', data: { at: 1 } });
    fleet.assertIdle();
  });

  it('refuses an element that does not fit, by its number', async () => {
    const fleet = await serving();
    const readings = [...degrees(1, 2), { celsius: 'warm' as unknown as number }];
    await assert.rejects(fleet.client(weather).record(readings), (thrown) => {
      assert.ok(thrown instanceof FlotillaError);
      assert.equal(thrown.code, 'INVALID_INPUT');
      assert.match(thrown.detail, /"2\.celsius"/);
      return true;
    });
    fleet.assertIdle();
  });

  it('refuses an element over the limit', async () => {
    const fleet = await serving({}, 40);
    const readings = [{ celsius: 1, note: 'x'.repeat(100) }];
    await assert.rejects(fleet.client(weather).record(readings), { code: 'BODY_TOO_LARGE' });
    fleet.assertIdle();
  });

  it('refuses an input that is not iterable', async () => {
    const fleet = await serving();
    await assert.rejects(fleet.client(weather).record({ celsius: 1 } as never), { code: 'INVALID_INPUT' });
    fleet.assertIdle();
  });

  it('fails with what its generator throws, and the handler learns that it broke off', async () => {
    let told: unknown;
    const fleet = await serving({
      async record(readings) {
        try {
          await collect(readings);
        } catch (thrown) {
          told = thrown;
          throw thrown;
        }
        return { count: 0, celsius: 0 };
      },
    });
    async function* breaking(): AsyncGenerator<{ celsius: number }> {
      yield { celsius: 1 };
      throw new Error('the sensor is gone');
    }
    await assert.rejects(fleet.client(weather).record(breaking()), { code: 'INTERNAL' });
    await fleet.clock.advance(1);
    assert.ok(told instanceof FlotillaError, String(told));
    fleet.assertIdle();
  });

  it('takes newline-delimited JSON of anybody, and nothing else', async () => {
    const fleet = await serving();
    const ask = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } };
    const good = await fleet.ask('/weather/v1/record', { ...ask, body: '{"celsius":1}\n\n{"celsius":3}' });
    assert.deepEqual(good.json, { count: 2, celsius: 2 });
    const broken = await fleet.ask('/weather/v1/record', { ...ask, body: '{"celsius":1}\n{"celsius":' });
    assert.equal(problemOf(broken).code, 'MALFORMED_REQUEST');
    const polluting = await fleet.ask('/weather/v1/record', { ...ask, body: '{"__proto__":{"celsius":1}}' });
    assert.equal(problemOf(polluting).code, 'MALFORMED_REQUEST');
    const other = await fleet.ask('/weather/v1/record', { body: [{ celsius: 1 }] });
    assert.equal(problemOf(other).code, 'UNSUPPORTED_MEDIA_TYPE');
    fleet.assertIdle();
  });
});

describe('duplex: many elements both ways', () => {
  it('answers while it is being sent', async () => {
    const fleet = await serving();
    const turns: string[] = [];
    async function* asking(): AsyncGenerator<{ celsius: number }> {
      for (const celsius of [8, 16]) {
        turns.push(`sent ${celsius}`);
        yield { celsius };
        await gate.promise;
      }
    }
    const gate = Promise.withResolvers<void>();
    const answers: { celsius: number }[] = [];
    for await (const answer of fleet.client(weather).smooth(asking())) {
      answers.push(answer);
      turns.push(`got ${answer.celsius}`);
      gate.resolve();
    }
    assert.deepEqual(answers, degrees(4, 10));
    assert.deepEqual(turns, ['sent 8', 'got 4', 'sent 16', 'got 10']);
    fleet.assertIdle();
  });

  it('ends for both when the caller leaves', async () => {
    let told: string | undefined;
    let left = false;
    const fleet = await serving({
      async *smooth(readings, call) {
        call.onCancel(({ code }) => {
          told = code;
        });
        yield* readings;
      },
    });
    async function* endless(): AsyncGenerator<{ celsius: number }> {
      try {
        for (let celsius = 1; ; celsius++) yield { celsius };
      } finally {
        left = true;
      }
    }
    for await (const { celsius } of fleet.client(weather).smooth(endless())) if (celsius === 3) break;
    await fleet.clock.advance(1);
    assert.deepEqual([told, left], ['CANCELLED', true]);
    fleet.assertIdle();
  });

  it('goes over sockets too', async () => {
    const needs = { clock: systemClock, random: systemRandom };
    const network = nodeNetwork(needs);
    const listener = await network.listen({ host: '127.0.0.1', port: 0 }, contractHandler([bind(weather, handlers)]));
    const endpoint = network.connect({ protocol: 'http', host: '127.0.0.1', port: listener.port });
    const client = createClient(weather, httpCalls(endpoint, { authority: 'weather', ...needs }), needs);
    const gate = Promise.withResolvers<void>();
    async function* asking(): AsyncGenerator<{ celsius: number }> {
      yield { celsius: 8 };
      await gate.promise;
      yield { celsius: 16 };
    }
    const answers: { celsius: number }[] = [];
    for await (const answer of client.smooth(asking())) {
      answers.push(answer);
      gate.resolve();
    }
    assert.deepEqual(answers, degrees(4, 10));
    assert.deepEqual(await client.record(degrees(1, 3)), { count: 2, celsius: 2 });
    await endpoint.close();
    await listener.drain(1_000);
  });
});

describe('a contract of such operations', () => {
  it('describes each element in OpenAPI', () => {
    const { document } = openApiOf([weather], { title: 'weather' });
    const paths = document['paths'] as Record<
      string,
      { post: { requestBody: { content: object }; responses: object } }
    >;
    const record = paths['/weather/v1/record']?.post;
    assert.deepEqual(record?.requestBody.content, {
      'application/x-ndjson': { schema: { $ref: '#/components/schemas/weather.record.input' } },
    });
    assert.ok(Object.keys(record?.responses ?? {}).includes('413'));
  });

  const Key = z.object({ id: z.string() });
  const mistakes: Record<string, readonly [() => unknown, RegExp]> = {
    'a path with a parameter': [
      () => contract({ name: 'a', version: 1 }, { b: upload({ in: Key, http: post('/b/{id}') }) }),
      /"id" is bound to the path, but the input of upload\(\) is many elements/,
    ],
    'a method without a body': [
      () => contract({ name: 'a', version: 1 }, { b: upload({ in: Key, http: get('/b') }) }),
      /upload\(\) needs POST or PUT, not GET/,
    ],
    DELETE: [
      () => contract({ name: 'a', version: 1 }, { b: duplex({ in: Key, out: Key, http: del('/b') }) }),
      /duplex\(\) needs POST or PUT, not DELETE/,
    ],
    coerce: [
      () => contract({ name: 'a', version: 1 }, { b: upload({ in: Key, coerce: { id: 'string' } } as never) }),
      /"coerce" is not an option of upload\(\)/,
    ],
    idempotent: [
      () => contract({ name: 'a', version: 1 }, { b: upload({ in: Key, idempotent: true } as never) }),
      /"idempotent" is not an option of upload\(\)/,
    ],
    'a duplex with a status of its own': [
      () => contract({ name: 'a', version: 1 }, { b: duplex({ in: Key, out: Key, http: post('/b', 201) }) }),
      /a duplex answers 200, not 201/,
    ],
  };
  for (const [claim, [make, message]] of Object.entries(mistakes)) {
    it(`refuses ${claim}`, () => assert.throws(make, message));
  }
});
