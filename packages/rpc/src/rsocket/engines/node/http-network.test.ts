import { systemClock } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import { type HttpNetwork, readContext } from '@flotilla/http';
import { listenerDefaults, nodeNetwork } from '@flotilla/http/node';
import { networkContract } from '../../../../../http/test/network-contract.ts';
import { openSockets } from '../../../../../http/test/open-sockets.ts';
import { httpTongue, overRSocket } from './http-network.ts';

networkContract('over RSocket', () => {
  const random = seededRandom(7);
  const needs = { clock: systemClock, random };
  const plain = nodeNetwork({
    ...needs,
    tongues: (handler) => [
      httpTongue({
        handler,
        clock: systemClock,
        limits: listenerDefaults,
        makeCall: ({ headers }) => readContext(headers, needs),
      }),
    ],
  });
  const fast = overRSocket(plain, needs);
  const network: HttpNetwork = { ...fast, connect: (target) => fast.connect({ ...target, rsocket: true }) };
  return { network, clock: systemClock, random, pass: async () => {}, leftovers: openSockets };
});
