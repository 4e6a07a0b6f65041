import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Outcome, Stage } from './stage.ts';

/** Of a fleet whose clients all lost their registry at the same moment. */
const clients = 5_000;
/** They run on so many machines: what one may ask for is limited, and must still be enough for all on it. */
const machines = 20;
const limitMs = 120_000;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
}

interface Counts {
  readonly statuses: Map<number, number>;
  withoutRetryAfter: number;
  broken: number;
}

/**
 * Everybody is registered, the registry is killed and started, and all come back at the same moment: each renews, fetches the
 * whole list as Eureka's clients do, and waits as long as it is told when it is told to wait.
 */
export async function runHerd({ place, port }: Stage): Promise<Outcome> {
  const node = place.registry({ name: 'registry-1', port });
  await node.program.start();
  const { username, password } = new URL(node.url);
  const authorization = `Basic ${Buffer.from(`${username}:${decodeURIComponent(password)}`).toString('base64')}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const send = (using: Agent, n: number, method: string, path: string, body?: string): Promise<Answer> =>
    exchange(
      {
        host: '127.0.0.1',
        localAddress: `127.0.0.${2 + (n % machines)}`,
        port,
        agent: using,
        method,
        path,
        headers: {
          authorization,
          accept: 'application/json',
          'accept-encoding': 'gzip',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
      },
      body,
    );
  await Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      await untilRegistered(() => send(agent, n, 'POST', '/eureka/apps/HERD', documentOf(n)));
    }),
  );
  agent.destroy();

  await node.program.kill();
  await node.program.start();
  const counts: Counts = { statuses: new Map(), withoutRetryAfter: 0, broken: 0 };
  const startedAt = performance.now();
  let lastMs = 0;
  const untilServed = async (own: Agent, n: number, method: string, path: string): Promise<void> => {
    while (performance.now() - startedAt < limitMs) {
      try {
        const { status, headers } = await send(own, n, method, path);
        counts.statuses.set(status, (counts.statuses.get(status) ?? 0) + 1);
        if (status === 200) return;
        if (status !== 503 && status !== 429) return;
        const wait = Number(headers['retry-after']);
        if (!(wait > 0)) counts.withoutRetryAfter++;
        await pause((wait > 0 ? wait : 1) * 1_000 * (1 + Math.random()));
      } catch {
        counts.broken++;
        await pause(500 + 1_000 * Math.random());
      }
    }
  };
  await Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      const own = new Agent({ keepAlive: true, maxSockets: 1 });
      await untilServed(own, n, 'PUT', `/eureka/apps/HERD/herd-${n}`);
      await untilServed(own, n, 'GET', '/eureka/apps/');
      own.destroy();
      lastMs = Math.max(lastMs, performance.now() - startedAt);
    }),
  );
  const served = counts.statuses.get(200) ?? 0;
  const refused = (counts.statuses.get(429) ?? 0) + (counts.statuses.get(503) ?? 0);
  const odd = [...counts.statuses].filter(([status]) => ![200, 429, 503].includes(status));
  const told = [...counts.statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
  return {
    facts: [
      `answers: ${told}; ${counts.broken} connections broke and were made again`,
      `${refused} were told to wait (429, 503), each for how long`,
      `everybody was served after ${(lastMs / 1_000).toFixed(1)} s`,
    ],
    mistakes: [
      ...(served < 2 * clients
        ? [`only ${served} of ${2 * clients} requests were served within ${limitMs / 1_000} s`]
        : []),
      ...odd.map(([status, count]) => `${count} answers ${status}: acknowledged registrations were lost`),
      ...(counts.withoutRetryAfter > 0 ? [`${counts.withoutRetryAfter} refusals without a Retry-After`] : []),
    ],
  };
}

/** One machine may register so many at a time: the others wait as they are told. */
async function untilRegistered(register: () => Promise<Answer>): Promise<void> {
  for (;;) {
    const { status, headers } = await register();
    if (status === 204) return;
    const wait = Number(headers['retry-after']);
    if (status !== 429 || !(wait > 0)) throw new Error(`a registration was answered with ${status}`);
    await pause(wait * 1_000 * (1 + Math.random()));
  }
}

function exchange(options: RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(options, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes }));
      answer.once('error', reject);
    });
    sent.setTimeout(30_000, () => sent.destroy(new Error('no answer within 30 s')));
    sent.once('error', reject);
    sent.end(body);
  });
}

function documentOf(n: number): string {
  return JSON.stringify({
    instance: {
      instanceId: `herd-${n}`,
      hostName: `host-${n}.example`,
      app: 'HERD',
      ipAddr: '10.0.0.1',
      status: 'UP',
      port: { $: 8_080, '@enabled': 'true' },
      vipAddress: 'herd',
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      lastDirtyTimestamp: Date.now(),
    },
  });
}
