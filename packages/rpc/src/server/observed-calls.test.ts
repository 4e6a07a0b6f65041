import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Labels, Meter, Outcome, Tracer } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import * as z from 'zod';
import { Fleet } from '../../test/fleet.ts';
import { contract, error, get, query, stream } from '../contract/index.ts';
import { bind } from '../handlers.ts';

const lake = contract(
  { name: 'lake', version: 1 },
  {
    depth: query({
      in: z.object({ at: z.string() }),
      out: z.number(),
      errors: { DRY: error(404) },
      http: get('/depth/{at}'),
    }),
    waves: stream({ out: z.number() }),
  },
);

/** Writes down each record, in order. */
function recorder(): { readonly lines: string[]; readonly meter: Meter; readonly tracer: Tracer } {
  const lines: string[] = [];
  const family = (name: string) => ({
    with: (labels: Labels) => {
      const write = (what: string): void => void lines.push(`${name} ${JSON.stringify(labels)} ${what}`);
      return {
        add: (amount = 1) => write(`+${amount}`),
        set: (value: number) => write(`=${value}`),
        record: (value: number) => write(`${value}`),
      };
    },
  });
  const meter: Meter = {
    counter: ({ name }) => family(name),
    gauge: ({ name }) => family(name),
    histogram: ({ name }) => family(name),
  };
  const tracer: Tracer = {
    start: (name, kind) => ({
      setAttribute() {},
      end: (outcome: Outcome) => void lines.push(`span ${name} ${kind} ${outcome?.code ?? 'OK'}`),
    }),
  };
  return { lines, meter, tracer };
}

async function serving(): Promise<{ fleet: Fleet; lines: string[] }> {
  const { lines, meter, tracer } = recorder();
  const fleet = new Fleet();
  const binding = bind(lake, {
    depth: ({ at }, call) => (at === 'shore' ? call.fail('DRY') : 7),
    async *waves() {
      yield 1;
      yield 2;
    },
  });
  await fleet.serve([binding], { meter, tracer });
  return { fleet, lines };
}

it('a call is counted, timed and traced under its operation', async () => {
  const { fleet, lines } = await serving();
  await fleet.ask('/depth/middle');
  assert.deepEqual(lines, [
    'flotilla_server_in_flight {"operation":"lake.depth"} =1',
    'flotilla_server_in_flight {"operation":"lake.depth"} =0',
    'flotilla_server_duration_seconds {"operation":"lake.depth"} 0',
    'flotilla_server_calls_total {"operation":"lake.depth","code":"OK"} +1',
    'span lake.depth server OK',
  ]);
});

it('an error is counted by its code, a refused input too', async () => {
  const { fleet, lines } = await serving();
  await fleet.ask('/depth/shore');
  await fleet.ask('/depth/x', { query: '__proto__=1' });
  const ended = lines.filter((line) => /calls_total|span/.test(line));
  assert.deepEqual(ended, [
    'flotilla_server_calls_total {"operation":"lake.depth","code":"DRY"} +1',
    'span lake.depth server DRY',
    'flotilla_server_calls_total {"operation":"lake.depth","code":"INVALID_INPUT"} +1',
    'span lake.depth server INVALID_INPUT',
  ]);
});

it('a stream is in flight until its last element', async () => {
  const { fleet, lines } = await serving();
  const { body } = await fleet.send('/lake/v1/waves', { method: 'POST' });
  assert.ok(body && !(body instanceof Uint8Array));
  for await (const _ of body) await settle();
  await settle();
  assert.equal(lines.at(-1), 'span lake.waves server OK');
  fleet.assertIdle();
});
