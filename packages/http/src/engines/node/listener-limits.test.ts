import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytes, response, Supply, text, untilStill } from '../../../test/contract-support.ts';
import { statuses } from '../../../test/raw-client.ts';
import { rawServer } from '../../../test/raw-server.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const options = { timeout: 20_000 };

describe('time limits of a listener', () => {
  it('a connection without a byte is answered 408 and closed 10 s after it was accepted', options, async () => {
    const server = await rawServer(async () => response(200));
    const client = await server.connect();
    await server.pass(9);
    assert.equal(client.received, '');
    await server.pass(1);
    assert.deepEqual(statuses(await client.untilClosed()), [408]);
    await server.close();
  });

  it('a head that trickles is answered 408 and closed 10 s after the accept', options, async () => {
    const server = await rawServer(async () => response(200));
    const client = await server.connect();
    for (const byte of 'GET / HTT') {
      client.send(byte);
      await server.pass(1);
    }
    assert.equal(client.received, '');
    await server.pass(1);
    assert.deepEqual(statuses(await client.untilClosed()), [408]);
    await server.close();
  });

  it('the head of a later request has 10 s from its first bytes', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'));
    const client = await server.connect();
    await client.send(get).until(/ok/);
    await server.pass(30);
    client.send('GET / HT');
    await untilStill(() => server.listener.connections);
    await server.pass(10);
    assert.deepEqual(statuses(client.received), [200]);
    await server.pass(1); // the first sweep saw the bytes, the tenth after it ends the wait
    assert.deepEqual(statuses(await client.untilClosed()), [200, 408]);
    await server.close();
  });

  it('an idle connection is closed without a word after 60 s', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'));
    const client = await server.connect();
    await client.send(get).until(/ok/);
    await server.pass(59);
    assert.equal(client.socket.destroyed, false);
    await server.pass(1);
    assert.deepEqual(statuses(await client.untilClosed()), [200]);
    await server.close();
  });

  it('a request that the kernel holds while its connection has been idle for 60 s is served', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'));
    const client = await server.connect();
    await client.send(get).until(/ok/);
    await server.pass(58);
    const { clock } = server;
    const setTimer = clock.setTimer.bind(clock);
    clock.setTimer = (delayMs, fire) =>
      setTimer(delayMs, () => {
        client.send(get); // written at once, and read only when the loop turns
        fire();
      });
    await server.pass(2);
    assert.deepEqual(statuses(client.received), [200, 200]);
    await server.close();
  });

  it('idle times are spread by a fifth, so that connections do not end together', options, async () => {
    for (const [drawn, seconds] of [
      [0, 48],
      [1, 72],
    ] as const) {
      const server = await rawServer(async () => response(200, 'ok\n'), { random: () => drawn });
      const client = await server.connect();
      await client.send(get).until(/ok/);
      await server.pass(seconds - 1);
      assert.equal(server.listener.connections, 1);
      await server.pass(1);
      await client.untilClosed();
      await server.close();
    }
  });

  it('a handler that takes long is not the fault of the client', options, async () => {
    const proceed = Promise.withResolvers<void>();
    const server = await rawServer(async ({ body }) => {
      await proceed.promise;
      return response(200, await bytes(body));
    });
    const client = await server.connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nok\n');
    await server.pass(200);
    assert.equal(client.received, '');
    proceed.resolve();
    assert.deepEqual(statuses(await client.until(/ok/)), [200]);
    await server.close();
  });

  it('a body without a byte for 30 s is answered 408, and its reader hears why', options, async () => {
    const read = Promise.withResolvers<unknown>();
    const server = await rawServer(async ({ body }) => {
      const all = text(body);
      all.catch(read.resolve);
      return response(200, await all);
    });
    const client = await server.connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    await server.pass(30);
    assert.equal(client.received, '');
    await server.pass(1);
    await client.until(/REQUEST_TIMEOUT/);
    assert.match(String(await read.promise), /REQUEST_TIMEOUT: no byte of the body for 30000 ms/);
    await server.pass(3); // the time in which the client may read its answer
    assert.deepEqual(statuses(await client.untilClosed()), [408]);
    await server.close();
  });

  it('a body slower than 1 KiB/s over 30 s is answered 408', options, async () => {
    const server = await rawServer(async ({ body }) => response(200, await bytes(body)));
    const client = await server.connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    for (let second = 0; second < 31; second++) {
      client.send('x'.repeat(1_000));
      await server.pass(1);
    }
    await client.until(/slower than 1024 bytes/);
    await server.close();
  });

  it('a body of 2 KiB/s may take minutes', options, async () => {
    const server = await rawServer(async ({ body }) => response(200, `${(await bytes(body)).length}\n`));
    const client = await server.connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n');
    for (let second = 0; second < 100; second++) {
      client.send('x'.repeat(2_000));
      await server.pass(1);
    }
    await client.until(/200000/);
    await server.close();
  });

  it('a client that takes no byte of its answer for 30 s is reset', options, async () => {
    const supply = new Supply();
    const server = await rawServer(async () => response(200, supply.body()));
    const client = await server.connect();
    client.socket.pause();
    client.send(get);
    await untilStill(() => supply.produced);
    await server.pass(30);
    assert.equal(server.listener.connections, 1);
    await server.pass(2);
    assert.equal(server.listener.connections, 0);
    assert.ok(supply.produced < supply.chunks);
    await server.close();
  });

  it('an answer that waits for its handler is no stall', options, async () => {
    const proceed = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first\n');
      await proceed.promise;
      yield Buffer.from('last\n');
    }
    const server = await rawServer(async () => response(200, slow()));
    const client = await server.connect();
    await client.send(get).until(/first/);
    await server.pass(300);
    proceed.resolve();
    await client.until(/last/);
    await server.close();
  });
});

describe('caps of a listener', () => {
  it(
    'connections over the cap are answered 503 and closed; the next one after a close is served',
    options,
    async () => {
      const server = await rawServer(async () => response(200, 'ok\n'), { limits: { maxConnections: 2 } });
      const first = await server.connect();
      await server.connect();
      const third = await server.connect();
      assert.deepEqual(statuses(await third.untilClosed()), [503]);
      await first.close();
      await untilStill(() => server.listener.connections);
      const fourth = await server.connect();
      assert.deepEqual(statuses(await fourth.send(get).until(/ok/)), [200]);
      await server.close();
    },
  );

  it('one address has its own cap', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'), { limits: { maxConnectionsPerAddress: 1 } });
    const first = await server.connect();
    const second = await server.connect();
    assert.match(await second.untilClosed(), /503 .*too many connections from this address/s);
    assert.deepEqual(statuses(await first.send(get).until(/ok/)), [200]);
    await server.close();
  });

  it('the last request that a connection may send is answered with "connection: close"', options, async () => {
    const server = await rawServer(async () => response(200, 'ok\n'), { limits: { maxRequestsPerConnection: 2 } });
    const client = await server.connect();
    const first = await client.send(get).until(/ok\n/);
    assert.doesNotMatch(first, /connection: close/i);
    const both = await client.send(get).untilClosed();
    assert.deepEqual(statuses(both), [200, 200]);
    assert.match(both, /connection: close/i);
    await server.close();
  });

  it('a body over the limit is refused when its length is declared, and when it is counted', options, async () => {
    let handled = 0;
    const handler = async ({ body }: { body: Parameters<typeof bytes>[0] }) => {
      handled++;
      return response(200, await bytes(body));
    };
    const server = await rawServer(handler, { limits: { maxBodyBytes: 10 } });
    const declared = await server.connect();
    declared.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world');
    assert.deepEqual(statuses(await declared.until(/BODY_TOO_LARGE/)), [413]);
    assert.equal(handled, 0);
    const counted = await server.connect();
    counted.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n');
    assert.deepEqual(statuses(await counted.until(/BODY_TOO_LARGE/)), [413]);
    assert.equal(handled, 1);
    await server.close();
  });
});
