import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import type { Instance } from '@flotilla/core';
import type { HttpHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { nodeEngine } from './engines.ts';
import { answer, instanceAt, World } from './support.ts';

const options = { timeout: 20_000 };

function at(id: string, host: string, port: number): Instance {
  return { ...instanceAt(id, 'web', port), addresses: [{ protocol: 'http', host, port }] };
}

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a registry that names instances which are not there', () => {
  it(
    'costs nobody an answer: the next instance is asked, for any method and with its whole body',
    options,
    async () => {
      // The default would hardly ask the dead one a second time: here it is asked until it is ejected.
      const world = new World(nodeEngine(), { clients: { web: { balance: { pick: 'least-loaded' } } } });
      const { instance } = await world.serve(async ({ method, body }) => {
        let bytes = 0;
        if (body !== undefined && !(body instanceof Uint8Array)) for await (const chunk of body) bytes += chunk.length;
        return answer(200, `${method} ${bytes}`);
      });
      world.resolver.set({ service: 'web' }, [at('gone', '127.0.0.1', await deadPort()), instance('good')]);
      await world.open({ id: 'a', path: '/**', to: 'service://web' });
      for (let i = 0; i < 12; i++) {
        assert.equal((await world.ask('GET', '/')).text, 'GET 0');
        const streamed = (async function* () {
          yield Buffer.from('some');
          yield Buffer.from('more');
        })();
        assert.equal((await world.ask('POST', '/', { body: streamed })).text, 'POST 8');
      }
      await world.close();
      const ejections = world.lines.filter(({ message }) => message === 'instance ejected');
      assert.equal(ejections[0]?.fields['instance'], 'gone');
    },
  );

  it('is a clear 503 when there is nobody else, without a storm of connections', options, async () => {
    const connects: string[] = [];
    const engine = nodeEngine();
    const { inside } = engine;
    const counting = new World({
      ...engine,
      inside: {
        listen: inside.listen.bind(inside),
        connect(target) {
          const endpoint = inside.connect(target);
          return {
            handle(request, call) {
              connects.push(`${target.port}`);
              return endpoint.handle(request, call);
            },
            get status() {
              return endpoint.status;
            },
            get load() {
              return endpoint.load;
            },
            close: () => endpoint.close(),
          };
        },
      },
    });
    counting.resolver.set(
      { service: 'web' },
      await Promise.all(['a', 'b', 'c', 'd', 'e'].map(async (id) => at(id, '127.0.0.1', await deadPort()))),
    );
    await counting.open({ id: 'a', path: '/**', to: 'service://web' });
    const first = await counting.ask('GET', '/');
    assert.deepEqual([first.status, JSON.parse(first.text).code], [503, 'CONNECT_FAILED']);
    assert.equal(new Set(connects).size, 3, 'three different instances, then the answer');
    const requests = 600;
    for (let i = 1; i < requests; i++) assert.equal((await counting.ask('GET', '/')).status, 503);
    // The budget: a fifth more than there were requests, and ten a second, here for at most ten seconds' worth at once.
    assert.ok(connects.length <= requests * 1.2 + 200, `${connects.length} connections for ${requests} requests`);
    await counting.close();
  });
});

describe('a registry that leads a gateway to itself', () => {
  it('is a 508 at once', options, async () => {
    const world = new World(nodeEngine());
    await world.open({ id: 'a', path: '/**', to: 'service://web' });
    world.resolver.set({ service: 'web' }, [at('me', '127.0.0.1', world.port)]);
    const looped = await world.ask('GET', '/shop', { query: 'q=1' });
    assert.deepEqual([looped.status, JSON.parse(looped.text).code], [508, 'LOOP_DETECTED']);
    await world.close();
    const passes = world.lines.filter(({ message }) => message === 'request');
    assert.equal(passes.length, 2, 'in, and back in');
    assert.match(String(passes[0]?.fields['reason']), /leads.*to this gateway itself/);
  });

  it('is a 508 at once over two gateways', options, async () => {
    const [one, two] = [new World(nodeEngine()), new World(nodeEngine())];
    await one.open({ id: 'a', path: '/**', to: 'service://web' });
    await two.open({ id: 'a', path: '/**', to: 'service://web' });
    one.resolver.set({ service: 'web' }, [at('two', '127.0.0.1', two.port)]);
    two.resolver.set({ service: 'web' }, [at('one', '127.0.0.1', one.port)]);
    const looped = await one.ask('POST', '/shop', { body: 'x' });
    assert.deepEqual([looped.status, JSON.parse(looped.text).code], [508, 'LOOP_DETECTED']);
    assert.equal(one.lines.filter(({ message }) => message === 'request').length, 2);
    await Promise.all([one.close(), two.close()]);
  });

  it('is a 508 at once through an edge service that carries its context on', options, async () => {
    const world = new World(nodeEngine());
    const network = nodeNetwork(world.engine);
    let gateway: ReturnType<typeof network.connect> | undefined;
    const edge: HttpHandler = async (request, call) => {
      gateway ??= network.connect({ protocol: 'http', host: '127.0.0.1', port: world.port });
      return gateway.handle({ ...request, authority: 'shop.example', body: undefined }, call.child());
    };
    const { url } = await world.serve(edge);
    await world.open({ id: 'a', path: '/**', to: url });
    const looped = await world.ask('GET', '/page');
    assert.deepEqual([looped.status, JSON.parse(looped.text).code], [508, 'LOOP_DETECTED']);
    await gateway?.close();
    await world.close();
  });

  it('is none when a service calls another address by the same gateway', options, async () => {
    const world = new World(nodeEngine());
    const network = nodeNetwork(world.engine);
    let gateway: ReturnType<typeof network.connect> | undefined;
    const page: HttpHandler = async (_, call) => {
      gateway ??= network.connect({ protocol: 'http', host: '127.0.0.1', port: world.port });
      return gateway.handle(
        {
          method: 'GET',
          authority: 'shop.example',
          path: { text: '/stock', segments: ['stock'] },
          query: '',
          headers: answer(200).headers,
          body: undefined,
        },
        call.child(),
      );
    };
    const [edge, stock] = [await world.serve(page), await world.serve(async () => answer(200, 'seven left'))];
    await world.open({ id: 'page', path: '/page', to: edge.url }, { id: 'stock', path: '/stock', to: stock.url });
    assert.equal((await world.ask('GET', '/page')).text, 'seven left');
    await gateway?.close();
    await world.close();
  });

  it('ends soon also when each pass changes the path', options, async () => {
    const world = new World(nodeEngine());
    await world.open({ id: 'a', path: '/{*rest}', to: 'service://web', filters: [{ rewritePath: '/more/{*rest}' }] });
    world.resolver.set({ service: 'web' }, [at('me', '127.0.0.1', world.port)]);
    assert.equal((await world.ask('GET', '/shop')).status, 508);
    await world.close();
    assert.ok(world.lines.filter(({ message }) => message === 'request').length <= 9);
  });

  it('cannot be feigned to hurt anybody else, and nonsense in its place is none', options, async () => {
    const world = new World(nodeEngine());
    const { url } = await world.serve(async ({ headers }) => answer(200, headers.get('baggage')));
    await world.open({ id: 'a', path: '/**', to: url });
    for (const feigned of ['flotilla.passed=1.2.3', 'flotilla.passed=%0a', 'flotilla.passed=', 'flotilla.passed=A;B']) {
      const { status, text } = await world.ask('GET', '/', { headers: [['baggage', `${feigned},tenant=evil`]] });
      assert.equal(status, 200);
      assert.match(text, /^flotilla\.passed=[0-9a-z.]+$/, 'nothing else of a stranger goes on');
    }
    await world.close();
  });
});

describe('a registry that names what is no place of a service', () => {
  const rows: readonly (readonly [why: string, host: string, port: number])[] = [
    ['a metadata service', '169.254.169.254', 80],
    ['it, as one number', '2852039166', 80],
    ['it, in hexadecimal', '0xa9fea9fe', 80],
    ['it, in short', '169.254.43518', 80],
    ['it, mapped into IPv6', '::ffff:169.254.169.254', 80],
    ['it, behind NAT64', '64:ff9b::a9fe:a9fe', 80],
    ['it, of another cloud', 'fd00:ec2::254', 80],
    ['link-local IPv6', 'fe80::1', 80],
    ['this host', '0.0.0.0', 80],
    ['this host in IPv6', '::', 80],
    ['multicast', '224.0.0.1', 80],
    ['broadcast', '255.255.255.255', 80],
    ['port 0', '10.0.0.1', 0],
    ['a host with a line end', 'web\r\nx: y', 80],
    ['a host with a blank', 'web one', 80],
    ['a host with a path', 'web/admin', 80],
    ['a host with a user', 'user@web', 80],
    ['its own management port', '127.0.0.1', 9_901],
    ['its own management port by name', 'localhost', 9_901],
  ];
  for (const [why, host, port] of rows) {
    it(`is not followed to ${why}: 503, and one line names the instance`, options, async () => {
      const world = new World(nodeEngine(), { ownPorts: [9_901] });
      world.resolver.set({ service: 'web' }, [at('liar', host, port)]);
      await world.open({ id: 'a', path: '/**', to: 'service://web' });
      for (let i = 0; i < 2; i++) {
        const { status, text } = await world.ask('GET', '/');
        assert.deepEqual([status, JSON.parse(text).code], [503, 'NO_INSTANCE']);
      }
      world.resolver.set({ service: 'web' }, [at('liar', host, port)]);
      await world.close();
      const lines = world.lines.filter(({ message }) => message.startsWith('instance refused'));
      assert.deepEqual(
        lines.map(({ level, fields }) => [level, fields['instance'], fields['service']]),
        [['warn', 'liar', 'web']],
      );
    });
  }

  it('is not followed by a name either that turns out to mean such a place', options, async () => {
    const network = nodeNetwork(nodeEngine());
    const world = new World(nodeEngine());
    const { listener } = await world.serve(async () => answer(200));
    const { path, headers } = { path: { text: '/', segments: [] }, headers: answer(200).headers };
    for (const [refused, code] of [
      [true, 'CONNECT_FAILED'],
      [false, undefined],
    ] as const) {
      const endpoint = network.connect({
        protocol: 'http',
        host: 'localhost',
        port: listener.port,
        refuses: (address) => (refused && address !== '' ? 'a test' : undefined),
      });
      const asked = endpoint.handle(
        { method: 'GET', authority: 'a', path, query: '', headers, body: undefined },
        world.call(),
      );
      const outcome = await asked.then(
        () => undefined,
        (error: { code: string; message: string }) => `${error.code} ${/not dialled: a test/.test(error.message)}`,
      );
      assert.equal(outcome, code && `${code} true`);
      await endpoint.close();
    }
    await world.open();
    await world.close();
  });

  it('reaches the loopback, unless it is told that its registry stands elsewhere', options, async () => {
    for (const [allowLoopbackInstances, status] of [
      [undefined, 200],
      [false, 503],
    ] as const) {
      const world = new World(nodeEngine(), { allowLoopbackInstances });
      const { instance } = await world.serve(async () => answer(200));
      world.resolver.set({ service: 'web' }, [instance('w')]);
      await world.open({ id: 'a', path: '/**', to: 'service://web' });
      assert.equal((await world.ask('GET', '/')).status, status);
      await world.close();
    }
  });

  it('goes on with the other addresses of an instance, and with networks that are allowed', options, async () => {
    const world = new World(nodeEngine(), { allowInstanceNetworks: ['0.0.0.0/8'] });
    const { instance } = await world.serve(async () => answer(200));
    const good = instance('w');
    const addresses = [{ protocol: 'http', host: '169.254.169.254', port: 80 }, ...good.addresses];
    world.resolver.set({ service: 'web' }, [{ ...good, addresses }]);
    world.resolver.set({ service: 'any' }, [at('any', '0.0.0.0', good.addresses[0]?.port ?? 0)]);
    await world.open({ id: 'a', path: '/a', to: 'service://web' }, { id: 'b', path: '/b', to: 'service://any' });
    assert.equal((await world.ask('GET', '/a')).status, 200);
    assert.equal((await world.ask('GET', '/b')).status, 200);
    await world.close();
  });
});
