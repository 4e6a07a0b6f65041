import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import fc from 'fast-check';
import * as z from 'zod';
import type { RpcTransport } from '../../client/transport.ts';
import { bind, type Client, contract, createClient, query } from '../../index.ts';
import { writeEntry } from '../composite-metadata.ts';
import { MemoryRSocket } from '../engines/memory/index.ts';
import { mimeType } from '../mime.ts';
import { OutBuffer } from '../out-buffer.ts';
import { CallServer } from './call-server.ts';
import { rsocketTransport } from './rsocket-transport.ts';
import { servingCalls, speakRSocket } from './serving.ts';
import { readUtilisationPush } from './utilisation.ts';

const echo = contract({ name: 'echo', version: 1 }, { say: query({ in: z.string(), out: z.string() }) });
const at = { host: 'echo', port: 80 };
const noHttp: RpcTransport = {
  protocols: [],
  connect: () => {
    throw new Error('nothing goes over HTTP here');
  },
};

/** One instance that is as busy as `share` says, and clients that hear of it. */
function stage() {
  const clock = new ManualClock();
  const random = seededRandom(4);
  const wire = new MemoryRSocket();
  const state = { share: 0.25 };
  const server = new CallServer([bind(echo, { say: (text) => text })], {
    clock,
    random,
    utilisation: () => state.share,
  });
  wire.listen(
    at,
    speakRSocket(() => Promise.reject(new Error('no HTTP')), servingCalls(server)),
    clock,
  );
  const transport = rsocketTransport(wire.connector(clock), noHttp, { clock, random });
  const connect = (wanted: boolean) => {
    const heard: number[] = [];
    const endpoint = transport.connect({
      address: { protocol: 'rsocket', ...at },
      authority: 'echo',
      report: { wanted, utilisation: (share) => void heard.push(share) },
    });
    const client: Client<typeof echo> = createClient(echo, endpoint, { clock, random });
    return { heard, client, close: () => endpoint.close() };
  };
  return { clock, state, connect };
}

test('whoever calls hears how busy the instance is, at most every 250 ms, and only if it wants to', async () => {
  const { clock, state, connect } = stage();
  const [asking, other] = [connect(true), connect(false)];
  for (let index = 0; index < 5; index++) await asking.client.say('a');
  await settle();
  assert.deepEqual(asking.heard, [0.25]);
  state.share = 0.9;
  await clock.advance(249);
  await asking.client.say('a');
  await settle();
  assert.deepEqual(asking.heard, [0.25]);
  await clock.advance(1);
  await other.client.say('a'); // on the same connection
  await settle();
  assert.deepEqual([asking.heard, other.heard], [[0.25, 0.9], []]);
  await Promise.all([asking.close(), other.close()]);
});

test('who has left hears nothing more, and the connection stays for the others', async () => {
  const { clock, connect } = stage();
  const [first, second] = [connect(true), connect(true)];
  await first.client.say('a');
  await settle();
  await first.close();
  await clock.advance(250);
  await second.client.say('b');
  await settle();
  assert.deepEqual([first.heard, second.heard], [[0.25], [0.25, 0.25]]);
  await second.close();
});

test('what a peer pushes is a share, or nothing', () => {
  const pushOf = (mime: string, text: string): Buffer => {
    const out = new OutBuffer(Buffer.alloc(256));
    writeEntry(out, mimeType(mime), text);
    return out.bytes.subarray(0, out.length);
  };
  const mime = 'application/vnd.flotilla.utilisation';
  assert.equal(readUtilisationPush(pushOf(mime, '0.125')), 0.125);
  for (const text of ['', '2', '-1', 'NaN', '1e9', '0.1 '])
    assert.equal(readUtilisationPush(pushOf(mime, text)), undefined);
  assert.equal(readUtilisationPush(pushOf('text/plain', '0.5')), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const share = readUtilisationPush(Buffer.from(bytes));
      assert(share === undefined || (share >= 0 && share <= 1));
    }),
  );
});
