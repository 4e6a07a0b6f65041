import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { memoryNetwork } from '@flotilla/http/memory';
import { outsideCalls } from '../src/index.ts';
import { gatewaySuite } from './gateway-suite.ts';

gatewaySuite('the network in memory', () => {
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
});
