import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createPlain, type Server } from 'node:http';
import { createServer } from 'node:https';
import { type TestContext, test } from 'node:test';
import { Authority } from '@flotilla/core/testing';
import { fetchUrl } from './http-get.ts';

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

test('what is wrong with TLS is said, and what to do about it', async (t) => {
  const authority = new Authority();
  t.after(() => authority.remove());
  const { cert, key } = authority.issue({ name: 'registry', names: 'IP:127.0.0.1' });
  const unknown = await listening(t, createServer({ cert: readFileSync(cert), key: readFileSync(key) }));
  await assert.rejects(fetchUrl(unknown), { code: 'CONNECT_FAILED', message: /does not know: .*NODE_EXTRA_CA_CERTS/ });
  const plain = await listening(t, createPlain());
  await assert.rejects(fetchUrl(plain), { code: 'CONNECT_FAILED', message: /speaks no TLS: ask for http:/ });
  await assert.rejects(fetchUrl('http://127.0.0.1:1'), { code: 'CONNECT_FAILED', message: /is it running/ });
});
