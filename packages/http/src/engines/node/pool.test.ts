import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, type Endpoint, systemClock } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import { hasCode, request, Tap, text, untilStill } from '../../../test/contract-support.ts';
import { openSockets } from '../../../test/open-sockets.ts';
import { type Script, ScriptedUpstream } from '../../../test/scripted-upstream.ts';
import type { HttpRequest, HttpResponse } from '../../exchange.ts';
import { clientError } from './client-errors.ts';
import { nodeNetwork, type PoolLimits } from './index.ts';

const random = seededRandom(3);
const options = { timeout: 20_000 };
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

type Endpoints = Endpoint<HttpRequest, HttpResponse>;

/** Runs `check` against a scripted server, then asserts that nothing is left open. */
async function against(
  script: Script,
  check: (endpoint: Endpoints, upstream: ScriptedUpstream) => Promise<void>,
  pool: Partial<PoolLimits> = {},
): Promise<void> {
  const upstream = await ScriptedUpstream.start(script);
  const network = nodeNetwork({ clock: systemClock, random, pool });
  const endpoint = network.connect({ protocol: 'http', host: '127.0.0.1', port: upstream.port });
  try {
    await check(endpoint, upstream);
    assert.equal(endpoint.load, 0);
  } finally {
    await upstream.stop();
    await endpoint.close();
  }
  await untilStill(() => openSockets().length);
  assert.deepEqual(openSockets(), []);
}

const call = (): Call => new Call({ clock: systemClock, random });
const get = request('GET', '/');
const say = (bytes: string) => (socket: { write(bytes: string, encoding: 'latin1'): unknown }) =>
  socket.write(bytes, 'latin1');

const badAnswers: Readonly<Record<string, string>> = {
  'a bad status line': 'HTTP/1.1 OK\r\n\r\n',
  'no HTTP': '220 mail.example ESMTP\r\n',
  'a status of four digits': 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n',
  'two content-lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!',
  'a list of content-lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok',
  'content-length and transfer-encoding':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'an unknown transfer-encoding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'a bare LF': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'a NUL in a value': 'HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nok',
  'a control character in a value': 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 2\r\n\r\nok',
  'a blank before a colon': 'HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nok',
  'a head over 64 KiB': `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`,
  'over 100 fields': `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(100)}Content-Length: 2\r\n\r\nok`,
  'an unasked 101': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
  'an unasked 100': `HTTP/1.1 100 Continue\r\n\r\n${ok}`,
  'over 16 interim answers': `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17)}${ok}`,
};

describe('answers that are none', () => {
  for (const [name, bytes] of Object.entries(badAnswers)) {
    it(`${name}: BAD_RESPONSE, and the connection is not used again`, options, async () => {
      await against(say(bytes), async (endpoint, upstream) => {
        await assert.rejects(endpoint.handle(get, call()), hasCode('BAD_RESPONSE', 'unknown'));
        await assert.rejects(endpoint.handle(get, call()), hasCode('BAD_RESPONSE'));
        assert.equal(upstream.opened(), 2);
      });
    });
  }

  it('interim answers up to the limit are skipped', options, async () => {
    await against(say(`${'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(16)}${ok}`), async (endpoint) => {
      const answer = await endpoint.handle(get, call());
      assert.deepEqual([answer.status, answer.headers.has('link'), await text(answer.body)], [200, false, 'ok']);
    });
  });
});

describe('connections that break', () => {
  it('before the answer: CONNECTION_LOST, and nobody knows what was done', options, async () => {
    for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
      await against(
        (socket) => socket[end](),
        async (endpoint) => {
          await assert.rejects(endpoint.handle(get, call()), hasCode('CONNECTION_LOST', 'unknown'));
        },
      );
    }
  });

  it('within the answer: what came is delivered, then CONNECTION_LOST', options, async () => {
    for (const head of [
      'Content-Length: 10',
      'Transfer-Encoding: chunked',
      'Connection: close\r\nTransfer-Encoding: chunked',
    ]) {
      const part = head.endsWith('chunked') ? '4\r\nhalf\r\n' : 'half';
      await against(
        (socket) => socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${part}`),
        async (endpoint) => {
          const answer = await endpoint.handle(get, call());
          const received: string[] = [];
          const read = async (): Promise<void> => {
            for await (const chunk of answer.body as AsyncIterable<Uint8Array>)
              received.push(Buffer.from(chunk).toString());
          };
          await assert.rejects(read(), hasCode('CONNECTION_LOST', 'unknown'));
          assert.equal(received.join(''), 'half');
        },
      );
    }
  });

  it('an idle connection that the server closed is not used for the next call', options, async () => {
    await against(
      (socket) => socket.end(ok),
      async (endpoint, upstream) => {
        for (let n = 1; n <= 3; n++) {
          assert.equal(await text((await endpoint.handle(get, call())).body), 'ok');
          await untilStill(() => openSockets().length);
          assert.equal(upstream.opened(), n);
        }
      },
    );
  });

  it('bytes behind a complete answer are never taken for the next one', options, async () => {
    let answers = 0;
    await against(
      (socket) => {
        answers++;
        socket.write(answers === 1 ? `${ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil` : ok);
      },
      async (endpoint) => {
        for (let n = 0; n < 3; n++) assert.equal(await text((await endpoint.handle(get, call())).body), 'ok');
      },
    );
  });

  it('an answer before the end of the upload stops the upload', options, async () => {
    await against(
      (socket) => socket.write(ok),
      async (endpoint) => {
        const tap = new Tap();
        tap.send('first');
        const answer = await endpoint.handle(request('POST', '/', { body: tap.body }), call());
        assert.equal(await text(answer.body), 'ok');
        await tap.left;
      },
    );
  });
});

describe('a pool', () => {
  it('uses a connection again', options, async () => {
    await against(say(ok), async (endpoint, upstream) => {
      for (let n = 0; n < 5; n++) assert.equal(await text((await endpoint.handle(get, call())).body), 'ok');
      assert.ok(upstream.opened() <= 2, `${upstream.opened()} connections for calls one after the other`);
    });
  });

  it('opens no more connections than it may, and refuses calls over its waiting line', options, async () => {
    const answers: (() => void)[] = [];
    const limits = { maxConnections: 1, maxWaiting: 1 };
    await against(
      (socket) => answers.push(() => socket.write(ok)),
      async (endpoint, upstream) => {
        const first = endpoint.handle(get, call());
        const second = endpoint.handle(get, call());
        assert.equal(endpoint.status, 'busy');
        await assert.rejects(endpoint.handle(get, call()), hasCode('UNAVAILABLE', 'no'));
        for (const answer of [first, second]) {
          await untilStill(() => answers.length);
          answers.shift()?.();
          assert.equal(await text((await answer).body), 'ok');
        }
        assert.deepEqual([endpoint.status, upstream.opened()], ['open', 1]);
      },
      limits,
    );
  });

  it('a call that is cancelled while it waits for a connection disturbs no other', options, async () => {
    const answers: (() => void)[] = [];
    await against(
      (socket) => answers.push(() => socket.write(ok)),
      async (endpoint, upstream) => {
        const first = endpoint.handle(get, call());
        await untilStill(() => answers.length);
        const waiting = call();
        const second = endpoint.handle(request('POST', '/', { body: 'x' }), waiting);
        waiting.cancel();
        await assert.rejects(second, hasCode('CANCELLED'));
        answers.shift()?.();
        assert.equal(await text((await first).body), 'ok');
        const third = endpoint.handle(get, call());
        await untilStill(() => answers.length);
        assert.equal(answers.length, 1);
        answers.shift()?.();
        assert.equal(await text((await third).body), 'ok');
        assert.equal(upstream.opened(), 1);
      },
      { maxConnections: 1 },
    );
  });

  it('a name that nobody knows: CONNECT_FAILED, certainly not executed', options, async () => {
    const network = nodeNetwork({ clock: systemClock, random });
    const endpoint = network.connect({ protocol: 'http', host: 'nobody.invalid', port: 80 });
    await assert.rejects(endpoint.handle(get, call()), hasCode('CONNECT_FAILED', 'no'));
    await endpoint.close();
  });
});

it('what undici says of a time-out while connecting is CONNECT_FAILED', () => {
  const timeout = Object.assign(new Error('Connect Timeout Error'), { code: 'UND_ERR_CONNECT_TIMEOUT' });
  const error = clientError(timeout, 'unsent', '10.0.0.1:80');
  assert.equal(error.message, 'CONNECT_FAILED: no connection to 10.0.0.1:80: UND_ERR_CONNECT_TIMEOUT');
  assert.deepEqual([error.executed, error.cause], ['no', timeout]);
});
