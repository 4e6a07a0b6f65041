import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, systemClock, systemRandom } from '@flotilla/core';
import { nodeNetwork } from '@flotilla/http/node';
import { RSocketClient, rsocketTongue } from '@flotilla/rpc/rsocket/node';

const clock = systemClock;
const random = systemRandom;

test('one port speaks HTTP and RSocket', async () => {
  const tongue = rsocketTongue({
    clock,
    serve: () => ({ responder: { requestResponse: (request, stream) => stream.respond(request.dataText()) } }),
  });
  const network = nodeNetwork({ clock, random, tongues: () => [tongue] });
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, () => Promise.reject(new Error('unused')));
  const client = new RSocketClient({ protocol: 'http', host: '127.0.0.1', port: listener.port }, { clock, random });
  const connection = await client.connect(new Call({ clock, random }));
  const answer = await new Promise<string>((resolve, reject) => {
    connection.requestResponse(undefined, 'hello', {
      next: (payload) => resolve(payload.dataText()),
      complete() {},
      error: (_code, text) => reject(new Error(text)),
      failed: reject,
    });
  });
  assert.equal(answer, 'hello');
  const http = await fetch(`http://127.0.0.1:${listener.port}/`);
  assert.equal(http.status, 500);
  await http.arrayBuffer();
  await listener.drain(2_000);
  await client.close();
});
