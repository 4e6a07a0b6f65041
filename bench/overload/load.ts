/**
 * The load, in a process of its own: an open loop. Requests leave when they are due, whether or not those before were
 * answered, each on a connection of its own from a pool; who has no answer within its deadline has failed, and its
 * connection is closed, as callers do.
 */
import { Agent, request } from 'node:http';
import { serveHarness } from '../harness/program.ts';

/** What became of the requests that left in one slice of time. */
export interface Slice {
  /** Milliseconds since the load began. */
  readonly atMs: number;
  sent: number;
  good: number;
  refused: number;
  failed: number;
  criticalSent: number;
  criticalGood: number;
  /** Of the answers that were good. */
  readonly latenciesMs: number[];
}

const sliceMs = 250;
const deadlineMs = 1_000;

/** One in ten is critical, one in ten is bulk. */
const urgencies = [0, 3, 3, 3, 3, 6, 3, 3, 3, 3] as const;

serveHarness(
  {},
  {
    closed: ({ port, ms, concurrency }) => closedLoop(Number(port), Number(ms), Number(concurrency)),
    open: ({ port, phases }) => openLoop(Number(port), phases as { readonly perSecond: number; readonly ms: number }[]),
  },
);

/** As many requests as `concurrency` callers can make: what a server can do. */
async function closedLoop(port: number, ms: number, concurrency: number): Promise<object> {
  const agent = new Agent({ keepAlive: true });
  const until = performance.now() + ms;
  let answered = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < until) if ((await ask(agent, port, 3)) === 'good') answered++;
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, caller));
  agent.destroy();
  return { answered, seconds: (performance.now() - startedAt) / 1_000 };
}

async function openLoop(
  port: number,
  phases: readonly { readonly perSecond: number; readonly ms: number }[],
): Promise<object> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 1_024 });
  const slices: Slice[] = [];
  const pending = new Set<Promise<void>>();
  let number = 0;
  const startedAt = performance.now();
  let phaseAt = 0;
  for (const { perSecond, ms } of phases) {
    let due = phaseAt;
    phaseAt += ms;
    while (due < phaseAt) {
      const now = performance.now() - startedAt;
      for (; due <= now && due < phaseAt; due += 1_000 / perSecond) {
        const one = send(agent, port, number++, sliceAt(slices, due), startedAt + due).finally(() =>
          pending.delete(one),
        );
        pending.add(one);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  await Promise.all(pending);
  agent.destroy();
  return { slices };
}

function sliceAt(slices: Slice[], ms: number): Slice {
  const index = Math.floor(ms / sliceMs);
  while (slices.length <= index) {
    slices.push({
      atMs: slices.length * sliceMs,
      sent: 0,
      good: 0,
      refused: 0,
      failed: 0,
      criticalSent: 0,
      criticalGood: 0,
      latenciesMs: [],
    });
  }
  return slices[index] as Slice;
}

/** Its latency counts from when it was due: a late generator makes nobody look faster. */
async function send(agent: Agent, port: number, number: number, slice: Slice, dueAt: number): Promise<void> {
  const urgency = urgencies[number % urgencies.length] ?? 3;
  slice.sent++;
  if (urgency === 0) slice.criticalSent++;
  const result = await ask(agent, port, urgency);
  slice[result]++;
  if (result !== 'good') return;
  slice.latenciesMs.push(performance.now() - dueAt);
  if (urgency === 0) slice.criticalGood++;
}

function ask(agent: Agent, port: number, urgency: number): Promise<'good' | 'refused' | 'failed'> {
  return new Promise((resolve) => {
    const headers = { priority: `u=${urgency}`, 'flotilla-timeout-ms': String(deadlineMs) };
    const asked = request({ agent, port, host: '127.0.0.1', path: '/work', headers }, (response) => {
      response.resume();
      response.on('end', () => done(response.statusCode === 200 ? 'good' : 'refused'));
      response.on('error', () => done('failed'));
    });
    const late = setTimeout(() => {
      asked.destroy();
      done('failed');
    }, deadlineMs);
    const done = (result: 'good' | 'refused' | 'failed'): void => {
      clearTimeout(late);
      resolve(result);
    };
    asked.on('error', () => done('failed'));
    asked.end();
  });
}
