import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Instance, systemClock, systemRandom } from '@flotilla/core';
import { type HttpListener, readContext } from '@flotilla/http';
import { listenerDefaults, nodeNetwork } from '@flotilla/http/node';
import { httpResponder, overRSocket } from '@flotilla/rpc/rsocket';
import { nodeConnector, rsocketTongue } from '@flotilla/rpc/rsocket/node';
import { nodeEngine } from './engines.ts';
import {
  answer,
  type EngineUnderTest,
  instanceAt,
  nextText,
  SocketServer,
  streamed,
  Tap,
  until,
  World,
} from './support.ts';

const needs = { clock: systemClock, random: systemRandom };

/** A gateway that speaks RSocket to those who do, and services that count by which way they were asked. */
class Fleet {
  readonly world: World;
  /** Requests that came over RSocket, by the name that answered. */
  readonly overRSocket: string[] = [];

  constructor() {
    const engine: EngineUnderTest = { ...nodeEngine(), inside: overRSocket(nodeNetwork(needs), nodeConnector(needs)) };
    this.world = new World(engine);
  }

  async serve(name: string, handler = async () => answer(200, name)): Promise<HttpListener> {
    const network = nodeNetwork({
      ...needs,
      tongues: () => [
        rsocketTongue({
          clock: systemClock,
          serve: (peer) => ({
            responder: httpResponder(
              {
                handler: async () => {
                  this.overRSocket.push(name);
                  return handler();
                },
                clock: systemClock,
                limits: listenerDefaults,
                makeCall: ({ headers }) => readContext(headers, needs),
              },
              peer,
            ),
          }),
        }),
      ],
    });
    return network.listen({ host: '127.0.0.1', port: 0 }, handler);
  }
}

function speaking(id: string, port: number, rsocketPort: number): Instance {
  const instance = instanceAt(id, 'web', port);
  return {
    ...instance,
    addresses: [...instance.addresses, { protocol: 'rsocket', host: '127.0.0.1', port: rsocketPort }],
  };
}

describe('how the gateway reaches instances', () => {
  const rows = [
    ['over RSocket, where it is spoken beside HTTP', (port: number) => speaking('a', port, port), 1],
    ['over HTTP/1.1, where nothing else is named', (port: number) => instanceAt('a', 'web', port), 0],
    ['over HTTP/1.1, where RSocket is on a port of its own', (port: number) => speaking('a', port, 1), 0],
  ] as const;
  for (const [how, instance, expected] of rows) {
    it(how, async () => {
      const fleet = new Fleet();
      const { world } = fleet;
      const listener = await fleet.serve('a');
      world.resolver.set({ service: 'web' }, [instance(listener.port)]);
      await world.open({ id: 'a', path: '/**', to: 'service://web' });
      assert.equal((await world.ask('GET', '/')).text, 'a');
      assert.equal(fleet.overRSocket.length, expected);
      await world.close();
      await listener.drain(1_000);
    });
  }

  it('a WebSocket goes by HTTP/1.1 all the same', async () => {
    const server = new SocketServer();
    const network = nodeNetwork(needs);
    const listener = await network.listen({ host: '127.0.0.1', port: 0 }, server.handler);
    const { world } = new Fleet();
    world.resolver.set({ service: 'web' }, [speaking('a', listener.port, listener.port)]);
    await world.open({ id: 'a', path: '/**', to: 'service://web', webSocket: true });
    const tap = new Tap();
    const opened = await world.socket('/chat', tap);
    assert.equal(opened.status, 101);
    const down = streamed(opened.body);
    server.tap.put(Buffer.from([0x81, 2, 0x68, 0x69]));
    assert.equal(await nextText(down), '\x81\x02hi'.replace('\x81', '\ufffd'));
    await down.return?.();
    await world.close();
    await listener.drain(0);
  });

  it('what a draining instance refuses goes to another one, whatever its method and body', async () => {
    const fleet = new Fleet();
    const { world } = fleet;
    const held = Promise.withResolvers<void>();
    const listeners = await Promise.all([
      fleet.serve('a', async () => {
        await held.promise;
        return answer(200, 'a');
      }),
      fleet.serve('b'),
    ]);
    const [a, b] = listeners.map(({ port }, at) => speaking(`i-${at}`, port, port)) as [Instance, Instance];
    world.resolver.set({ service: 'web' }, [a]);
    await world.open({ id: 'a', path: '/**', to: 'service://web' });
    const first = world.ask('POST', '/', { body: 'x' });
    await until(() => fleet.overRSocket.length === 1, 'the first request is not in hand');
    world.resolver.set({ service: 'web' }, [a, b]);
    const drained = listeners[0].drain(5_000);
    const texts: string[] = [];
    for (let n = 0; n < 20; n++) texts.push((await world.ask('POST', '/', { body: `order ${n}` })).text);
    assert.deepEqual(texts, new Array(20).fill('b'));
    held.resolve();
    assert.equal((await first).text, 'a');
    await world.close();
    await drained;
    await listeners[1].drain(1_000);
  });
});
