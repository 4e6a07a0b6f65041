import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call, type Resolver } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, type HttpNetwork, type HttpRequest, type HttpTarget, parsePath } from '@flotilla/http';
import fc from 'fast-check';
import { checkRoutes, readRoutes } from './document/read.ts';
import { createGateway } from './routing-gateway.ts';

const nobody: Resolver = { watch: () => ({ close() {} }) };

/** A network without listeners: each upstream notes what it was sent and answers 200. */
function notingNetwork(): { network: HttpNetwork; sent: HttpRequest[]; open: Set<string> } {
  const sent: HttpRequest[] = [];
  const open = new Set<string>();
  const network: HttpNetwork = {
    listen: () => assert.fail('nobody listens here'),
    connect({ host, port }: HttpTarget) {
      if (host === 'forbidden') throw new RangeError('no such place');
      open.add(`${host}:${port}`);
      return {
        status: 'open',
        load: 0,
        async handle(request, call) {
          sent.push(request);
          call.end();
          return { status: 200, headers: new HttpHeaders(), body: undefined };
        },
        async close() {
          open.delete(`${host}:${port}`);
        },
      };
    },
  };
  return { network, sent, open };
}

function requestFor(path: string): HttpRequest {
  return {
    method: 'GET',
    authority: 'shop.example',
    path: parsePath(path, { encodedSlash: 'keep' }),
    query: '',
    headers: new HttpHeaders(),
    body: undefined,
    peer: { address: '127.0.0.1', port: 1, encrypted: false },
  };
}

describe('a gateway without an engine', () => {
  const needs = { clock: new ManualClock(), random: seededRandom(4) };
  const ask = async (gateway: ReturnType<typeof createGateway>, path: string): Promise<number> => {
    const outer = new Call(needs);
    const { status } = await gateway.handler(requestFor(path), outer);
    outer.end();
    return status;
  };

  it('lets an escaped slash through where the route keeps it, and refuses it elsewhere', async () => {
    const { network, sent } = notingNetwork();
    const gateway = createGateway({ ...needs, network, resolver: nobody });
    const to = 'http://127.0.0.1:9000';
    const rewrite = [{ stripPrefix: 1 }, { rewritePath: '/to/{id}' }];
    gateway.apply(
      checkRoutes({
        routes: [
          { id: 'keeps', path: '/keep/{id}', to, auth: 'public', encodedSlash: 'keep', filters: rewrite },
          { id: 'refuses', path: '/refuse/{id}', to, auth: 'public' },
        ],
      }),
    );
    assert.equal(await ask(gateway, '/keep/a%2Fb'), 200);
    assert.equal(await ask(gateway, '/refuse/a%2Fb'), 400);
    assert.deepEqual(
      sent.map(({ path }) => path.text),
      ['/to/a%2Fb'],
    );
    await gateway.close();
  });

  it('opens nothing before routes are applied, and what a document that fails opened is closed again', async () => {
    const { network, open } = notingNetwork();
    const gateway = createGateway({ ...needs, network, resolver: nobody });
    assert.deepEqual([gateway.version, gateway.routes(), gateway.upstreams()], [0, [], []]);
    assert.equal(await ask(gateway, '/'), 404);
    const document = checkRoutes({
      routes: [
        { id: 'a', path: '/a', to: 'http://fine:80' },
        { id: 'b', path: '/b', to: 'http://forbidden:80' },
      ],
    });
    assert.throws(() => gateway.apply(document));
    await gateway.close();
    assert.deepEqual([gateway.version, [...open], gateway.upstreams()], [0, [], []]);
  });

  it('writes every text of a document as it stands there: nothing is evaluated on the way', async () => {
    const word = fc.constantFrom('#{1+1}', '{{x}}', '{id}', '$1', '%{x}', '`id`', '$(id)', 'T(java.lang.Runtime)');
    const value = fc
      .array(fc.oneof(word, fc.stringMatching(/^[!-~]{1,9}$/)), { maxLength: 4 })
      .map((parts) => parts.join(' '));
    await fc.assert(
      fc.asyncProperty(value, async (written) => {
        const { network, sent } = notingNetwork();
        const gateway = createGateway({ ...needs, network, resolver: nobody });
        const filters = [{ setRequestHeader: { 'x-written': written } }];
        const route = { id: 'a', path: '/{id}', to: 'http://127.0.0.1:9000', auth: 'public', filters };
        gateway.apply(readRoutes(JSON.stringify({ routes: [route] }), 'routes.yaml'));
        assert.equal(await ask(gateway, '/7'), 200);
        assert.deepEqual(sent[0]?.headers.getAll('x-written'), [written]);
        await gateway.close();
      }),
      { numRuns: 50 },
    );
  });

  it('closes once, however often it is asked to', async () => {
    const gateway = createGateway({ ...needs, network: notingNetwork().network, resolver: nobody });
    assert.equal(gateway.close(), gateway.close());
    await gateway.close();
    assert.equal(await ask(gateway, '/'), 503);
  });
});
