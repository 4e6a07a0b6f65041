import { systemClock, systemRandom } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { memoryNetwork } from '@flotilla/http/memory';
import { nodeNetwork } from '@flotilla/http/node';
import { overRSocket } from '@flotilla/rpc/rsocket';
import { httpTongue, nodeConnector } from '@flotilla/rpc/rsocket/node';
import { outsideCalls } from '../src/index.ts';
import type { EngineUnderTest } from './support.ts';

/** Messages in memory, time by hand. */
export function memoryEngine(): EngineUnderTest {
  const clock = new ManualClock();
  const random = seededRandom(11);
  return {
    outside: memoryNetwork({ clock, random, makeCall: outsideCalls({ clock, random }) }),
    inside: memoryNetwork({ clock, random }),
    clock,
    random,
    // In steps: a timer that a later hop starts has to find time left.
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 10) await clock.advance(10);
    },
  };
}

/** Sockets and the machine's clock. */
export function nodeEngine(): EngineUnderTest {
  const needs = { clock: systemClock, random: systemRandom };
  return {
    outside: nodeNetwork({ ...needs, makeCall: outsideCalls(needs), limits: { maxHeaderFields: 100 } }),
    inside: nodeNetwork(needs),
    ...needs,
    pass: async () => {},
  };
}

/** Sockets and the machine's clock; to its upstreams, wherever they are, the gateway speaks RSocket. */
export function rsocketEngine(): EngineUnderTest {
  const needs = { clock: systemClock, random: systemRandom };
  const plain = nodeNetwork({ ...needs, tongues: (_, __, serving) => [httpTongue(serving)] });
  const inside = overRSocket(plain, nodeConnector(needs));
  return {
    ...nodeEngine(),
    inside: { ...inside, connect: (target) => inside.connect({ ...target, rsocket: true }) },
  };
}
