import { systemClock, systemRandom } from '@flotilla/core';
import { nodeNetwork } from '@flotilla/http/node';
import { outsideCalls } from '../src/index.ts';
import { gatewaySuite } from './gateway-suite.ts';

gatewaySuite('node:http', () => {
  const needs = { clock: systemClock, random: systemRandom };
  return {
    outside: nodeNetwork({ ...needs, makeCall: outsideCalls(needs), limits: { maxHeaderFields: 100 } }),
    inside: nodeNetwork(needs),
    ...needs,
    pass: async () => {},
  };
});
