import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Instance, identity, nullLogger, nullMeter, nullTracer, systemClock, systemRandom } from '@flotilla/core';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import { connectClient, plainTransport } from '../src/client.ts';
import { fastNetwork } from '../src/engines/fast-network.ts';
import { children } from './child.ts';
import { work } from './fixtures/busy.ts';

const processes = children();
after(() => processes.remove());

/** A process of its own, as somebody knows it who has only its address of RSocket. */
async function started(): Promise<{ readonly url: string; readonly pid: number; readonly instance: Instance }> {
  const program = fileURLToPath(new URL('fixtures/busy.ts', import.meta.url));
  // It sheds nothing, so that whoever leaves it alone does so for what it says of itself.
  const limits = ['--server.shedding.enabled=false', '--server.concurrency.enabled=false'];
  const child = processes.start(program, ['--log.format=json', '--registry=http://127.0.0.1:1', ...limits]);
  const { url } = JSON.parse(await child.line(/"msg":"serving"/)) as { url: string };
  const { hostname: host, port } = new URL(url);
  const instance: Instance = {
    ...{ id: url, identity: identity('work'), incarnation: 1, revision: 0, metadata: {}, bags: {} },
    ...{ contracts: [], status: 'up', weight: 1 },
    addresses: [{ protocol: 'rsocket', host, port: Number(port) }],
  };
  return { url, pid: child.process.pid ?? 0, instance };
}

test('a process whose event loop is busy says so over RSocket, and the least utilised one is asked instead', async () => {
  const [one, other] = await Promise.all([started(), started()]);
  const ground = { clock: systemClock, random: systemRandom, logger: nullLogger };
  const { network, connector } = fastNetwork(ground);
  const connected = connectClient(
    work,
    { service: 'work', pick: 'least-utilised', retries: 0 }, // a refusal would be seen
    {
      ...{ ...ground, network, meter: nullMeter, tracer: nullTracer },
      fast: rsocketTransport(connector, plainTransport({ ...ground, network }), ground),
      resolver: {
        watch(_, update) {
          update({ instances: [one.instance, other.instance], warming: false });
          return { close() {} };
        },
      },
    },
  );
  /** Of so many calls, one after the other, those that this process answered. */
  const answeredBy = async (pid: number, calls: number): Promise<number> => {
    let count = 0;
    for (let call = 0; call < calls; call++) if ((await connected.client.who()) === pid) count++;
    return count;
  };
  const become = async (url: string, what: 'busy' | 'idle'): Promise<void> => {
    assert.equal((await fetch(`${url}/${what}`, { method: 'POST' })).status, 204);
  };
  // Nothing but what they say of themselves tells them apart: no call is ever in flight when the next one is placed.
  for (const [busy, idle] of [
    [one, other],
    [other, one],
  ] as const) {
    await become(busy.url, 'busy');
    await become(idle.url, 'idle');
    while ((await answeredBy(busy.pid, 200)) > 2);
    assert.ok((await answeredBy(idle.pid, 200)) > 150);
  }
  await connected.close();
});
