/**
 * The load, in a process of its own: an open loop. Requests leave when they are due, whether or not those before were
 * answered; who has no answer within its deadline has failed.
 */
import { serveHarness } from '../harness/program.ts';
import type { Caller } from './caller.ts';
import { fleetCaller } from './fleet-caller.ts';
import { HttpCaller } from './http-caller.ts';
import { type Slice, sliceAt } from './slice.ts';

/** So many requests a second for a time. */
export interface Phase {
  readonly perSecond: number;
  readonly ms: number;
}

/** One in ten is critical, one in ten is bulk. */
const urgencies = [0, 3, 3, 3, 3, 6, 3, 3, 3, 3] as const;

/** Connections over HTTP that callers have before the load begins. */
const connections = 256;

/** By transport and port; those of an open loop stay for the next one. */
const callers = new Map<string, Promise<Caller>>();

serveHarness(
  {},
  {
    async closed({ transport, port, ms, concurrency }) {
      const caller = await callerOf(transport, port, 0);
      const counted = await closedLoop(caller, Number(ms), Number(concurrency));
      await caller.close();
      return counted;
    },
    async open({ transport, port, phases }) {
      const key = `${transport} ${port}`;
      const caller = callers.get(key) ?? callerOf(transport, port, connections);
      callers.set(key, caller);
      return openLoop(await caller, phases as readonly Phase[]);
    },
  },
);

async function callerOf(transport: unknown, port: unknown, before: number): Promise<Caller> {
  return transport === 'rsocket' ? fleetCaller(Number(port)) : HttpCaller.open(Number(port), before);
}

/** As many requests as `concurrency` callers can make: what a server can do. */
async function closedLoop(caller: Caller, ms: number, concurrency: number): Promise<object> {
  const startedAt = performance.now();
  let [answered, others] = [0, 0];
  const ask = async (): Promise<void> => {
    while (performance.now() - startedAt < ms) {
      if ((await caller.ask(3)) === 'good') answered++;
      else others++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, ask));
  return { answered, others, seconds: (performance.now() - startedAt) / 1_000 };
}

async function openLoop(caller: Caller, phases: readonly Phase[]): Promise<object> {
  const slices: Slice[] = [];
  const pending = new Set<Promise<void>>();
  let number = 0;
  const startedAt = performance.now();
  let phaseAt = 0;
  for (const { perSecond, ms } of phases) {
    const from = phaseAt;
    phaseAt += ms;
    for (let made = 0, due = from; due < phaseAt; ) {
      const now = performance.now() - startedAt;
      for (; due <= now && due < phaseAt; due = from + (++made * 1_000) / perSecond) {
        const one = send(caller, number++, sliceAt(slices, due), startedAt + due);
        pending.add(one);
        void one.then(() => pending.delete(one));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  await Promise.all(pending);
  return { slices };
}

/** Its latency counts from when it was due: a late generator makes nobody look faster. How late it was is told, too. */
async function send(caller: Caller, number: number, slice: Slice, dueAt: number): Promise<void> {
  const urgency = urgencies[number % urgencies.length] ?? 3;
  slice.sent++;
  slice.lateMs.push(performance.now() - dueAt);
  if (urgency === 0) slice.criticalSent++;
  const outcome = await caller.ask(urgency);
  slice[outcome]++;
  if (outcome !== 'good') return;
  slice.latenciesMs.push(performance.now() - dueAt);
  if (urgency === 0) slice.criticalGood++;
}
