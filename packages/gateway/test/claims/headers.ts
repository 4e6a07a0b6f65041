import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answer, type EngineUnderTest, echo, fieldsOf, seenIn, World } from '../support.ts';

export function headerClaims(engine: () => EngineUnderTest): void {
  describe('header fields', () => {
    it('of the connection do not go on, in neither direction', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async (request, call) => {
        const { status, headers, body } = await echo(request, call);
        for (const [name, value] of connectionFields) headers.append(name, value);
        return { status, headers, body };
      });
      await world.open({ id: 'a', path: '/**', to: url });
      const got = await world.ask('GET', '/', { headers: [...connectionFields, ['x-kept', 'kept']] });
      const seen = seenIn(got);
      assert.deepEqual(fieldsOf(seen, 'x-kept'), ['kept']);
      for (const [name] of connectionFields) {
        assert.deepEqual(fieldsOf(seen, name), [], `the upstream got ${name}`);
        assert.deepEqual(got.headers.getAll(name), [], `the client got ${name}`);
      }
      await world.close();
    });

    it('keep their order, their repetitions and their values', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async (request, call) => {
        const { status, headers, body } = await echo(request, call);
        headers.append('set-cookie', 'a=1; Path=/');
        headers.append('set-cookie', 'b=2');
        return { status, headers, body };
      });
      await world.open({ id: 'a', path: '/**', to: url });
      const sent: [string, string][] = [
        ['accept', 'text/html'],
        ['cookie', 'a=1'],
        ['accept', 'text/plain;q=0.5'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: what must not be evaluated
        ['x-text', '#{1+1} ${HOME} "quoted", and more'],
        ['authorization', 'Bearer abc'],
      ];
      const got = await world.ask('GET', '/', { headers: sent });
      const names = new Set(sent.map(([name]) => name));
      assert.deepEqual(
        seenIn(got).headers.filter(([name]) => names.has(name)),
        sent,
      );
      assert.deepEqual(got.headers.getAll('set-cookie'), ['a=1; Path=/', 'b=2']);
      await world.close();
    });

    it('of identity that a stranger claims are replaced by the truth', async () => {
      const world = new World(engine());
      const { url } = await world.serve(echo);
      await world.open({ id: 'a', path: '/**', to: url });
      const claimed: [string, string][] = [
        ['forwarded', 'for=10.0.0.1;host=evil.example'],
        ['x-forwarded-for', '10.0.0.1'],
        ['x-forwarded-host', 'evil.example'],
        ['x-forwarded-proto', 'https'],
        ['x-forwarded-prefix', '/evil'],
        ['x-real-ip', '10.0.0.1'],
        ['x-original-url', '/admin'],
        ['x-rewrite-url', '/admin'],
        ['x-http-method-override', 'DELETE'],
      ];
      const seen = seenIn(await world.ask('GET', '/', { headers: claimed }));
      assert.doesNotMatch(JSON.stringify(seen.headers), /evil|10\.0\.0\.1|admin|DELETE/);
      assert.deepEqual(fieldsOf(seen, 'x-forwarded-for'), ['127.0.0.1']);
      assert.deepEqual(fieldsOf(seen, 'x-forwarded-host'), ['shop.example']);
      assert.deepEqual(fieldsOf(seen, 'x-forwarded-proto'), ['http']);
      assert.match(fieldsOf(seen, 'forwarded').join(), /for=127\.0\.0\.1/);
      assert.match(fieldsOf(seen, 'forwarded').join(), /shop\.example/);
      await world.close();
    });

    it('of identity that a trusted proxy adds are kept, and this hop is added', async () => {
      const world = new World(engine());
      const { url } = await world.serve(echo);
      await world.openDocument({
        trustedProxies: ['127.0.0.0/8'],
        routes: [{ id: 'a', path: '/**', to: url }],
      } as { routes: object[] });
      const headers: [string, string][] = [
        ['x-forwarded-for', '203.0.113.7'],
        ['x-real-ip', '203.0.113.7'],
      ];
      const seen = seenIn(await world.ask('GET', '/', { headers }));
      assert.match(fieldsOf(seen, 'x-forwarded-for').join(', '), /^203\.0\.113\.7, ?127\.0\.0\.1$/);
      assert.deepEqual(fieldsOf(seen, 'x-real-ip'), ['203.0.113.7']);
      await world.close();
      const [line] = world.lines.filter(({ message }) => message === 'request');
      assert.equal(line?.fields['client'], '203.0.113.7');
    });

    it('name the upstream as the host, and the gateway in via', async () => {
      const world = new World(engine());
      const { url } = await world.serve(echo);
      await world.open({ id: 'a', path: '/**', to: url });
      const seen = seenIn(await world.ask('GET', '/'));
      assert.equal(`http://${seen.authority}`, url);
      assert.deepEqual(fieldsOf(seen, 'via'), ['1.1 flotilla']);
      await world.close();
    });

    it('of the inside do not leave it', async () => {
      const world = new World(engine());
      const { url } = await world.serve(async () =>
        answer(200, '', [
          ['flotilla-instance', 'web-1'],
          ['x-forwarded-for', '10.1.2.3'],
          ['traceparent', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`],
          ['x-public', 'yes'],
        ]),
      );
      await world.open({ id: 'a', path: '/**', to: url });
      const { headers } = await world.ask('GET', '/');
      assert.equal(headers.get('x-public'), 'yes');
      for (const name of ['flotilla-instance', 'x-forwarded-for', 'traceparent'])
        assert.equal(headers.has(name), false, name);
      await world.close();
    });
  });
}

/** Without those that an engine itself writes or acts on. */
const connectionFields: readonly [string, string][] = [
  ['proxy-authenticate', 'Basic'],
  ['proxy-authorization', 'Basic abc'],
  ['te', 'trailers'],
  ['http2-settings', 'AAMAAABkAAQAAP__'],
];
