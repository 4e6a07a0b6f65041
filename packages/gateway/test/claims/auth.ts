import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import type { Authenticate } from '../../src/index.ts';
import { answer, type EngineUnderTest, World, whole } from '../support.ts';
import { assertProblem } from './routing.ts';

const byToken: Authenticate = async ({ headers, body }) => {
  assert.equal(body, undefined);
  const token = headers.get('authorization');
  if (token === undefined) throw new FlotillaError('UNAUTHENTICATED', 'no token');
  if (token === 'Bearer broken') throw new Error('the key store said: secret');
  if (token !== 'Bearer good') throw new FlotillaError('FORBIDDEN', 'not you');
  return { subject: 'anna' };
};

export function authClaims(engine: () => EngineUnderTest): void {
  describe('authentication', () => {
    it('is required where a route does not say otherwise, and nobody passes without an authenticator', async () => {
      const { world, asked } = await protectedWorld(engine());
      for (const headers of [[], [['authorization', 'Bearer good']] as [string, string][]]) {
        const refused = await world.ask('GET', '/', { headers });
        assertProblem(refused, 401, 'UNAUTHENTICATED');
        assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
      }
      assert.equal(asked(), 0);
      await world.close();
    });

    const callers: readonly (readonly [name: string, token: string | undefined, status: number, code: string])[] = [
      ['refuses who proves nothing', undefined, 401, 'UNAUTHENTICATED'],
      ['refuses who may not', 'Bearer bad', 403, 'FORBIDDEN'],
      ['refuses when the authenticator breaks, and tells nothing of it', 'Bearer broken', 500, 'INTERNAL'],
    ];
    for (const [name, token, status, code] of callers) {
      it(name, async () => {
        const { world, asked } = await protectedWorld(engine(), byToken);
        const headers: [string, string][] = token === undefined ? [] : [['authorization', token]];
        assertProblem(await world.ask('POST', '/', { headers, body: 'body' }), status, code);
        assert.equal(asked(), 0);
        await world.close();
      });
    }

    it('does not wait for an authenticator for ever', async () => {
      const never: Authenticate = () => new Promise(() => {});
      const { world, asked } = await protectedWorld(engine(), never, { headTimeoutMs: 40 });
      const { response } = world.send('GET', '/');
      await world.engine.pass(60);
      assertProblem(await whole(response), 504, 'DEADLINE_EXCEEDED');
      assert.equal(asked(), 0);
      await world.close();
    });

    it('lets in who is known', async () => {
      const { world, asked } = await protectedWorld(engine(), byToken);
      const { status } = await world.ask('GET', '/', { headers: [['authorization', 'Bearer good']] });
      assert.deepEqual([status, asked()], [200, 1]);
      await world.close();
    });
  });
}

async function protectedWorld(
  engine: EngineUnderTest,
  authenticate?: Authenticate,
  parts: object = {},
): Promise<{ world: World; asked: () => number }> {
  const world = new World(engine, authenticate ? { authenticate } : {});
  let asked = 0;
  const { url } = await world.serve(async () => answer(200, `${++asked}`));
  await world.open({ id: 'a', path: '/**', to: url, auth: 'required', ...parts });
  return { world, asked: () => asked };
}
