import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import { bytes, response, untilStill } from '../../../test/contract-support.ts';
import { malformedRequests, type RawCase, wellFormedRequests } from '../../../test/malformed-requests.ts';
import { RawClient, statuses } from '../../../test/raw-client.ts';
import type { HttpListener } from '../../network.ts';
import { nodeNetwork } from './index.ts';

const probe = 'GET /alive HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** A server that records what reaches its handler. */
async function recording(): Promise<{ listener: HttpListener; seen: string[] }> {
  const seen: string[] = [];
  const network = nodeNetwork({ clock: systemClock, random: seededRandom(1) });
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, async ({ method, path, body }) => {
    if (path.text !== '/alive') seen.push(`${method} ${path.text}`);
    await bytes(body);
    return response(200, 'ok\n');
  });
  return { listener, seen };
}

async function check({ listener, seen }: { listener: HttpListener; seen: string[] }, row: RawCase): Promise<void> {
  seen.length = 0;
  const received = await new RawClient(listener.port).send(row.bytes).untilClosed();
  assert.deepEqual(statuses(received), row.answers, received.slice(0, 500));
  assert.equal(seen.length, row.handled ?? 0, `reached the handler: ${seen.join()}`);
  if (row.answers.at(-1) !== 200) assert.match(received, /connection: close\r\n/i);
  const alive = await new RawClient(listener.port).send(probe).untilClosed();
  assert.match(alive, /^HTTP\/1\.1 200 /, 'the listener is alive');
  await untilStill(() => listener.connections);
  assert.equal(listener.connections, 0);
}

function table(title: string, rows: readonly RawCase[]): void {
  describe(title, async () => {
    const server = await recording();
    for (const row of rows) it(row.name, { timeout: 10_000 }, () => check(server, row));
    it('no connection is left', () => server.listener.drain(1_000));
  });
}

table('what is ambiguous is refused, and nothing of it reaches a handler', malformedRequests);
table('what is well formed is served', wellFormedRequests);
