import { systemClock } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import type { HttpNetwork } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { overRSocket } from '@flotilla/rpc/rsocket';
import { httpTongue, RSocketClient } from '@flotilla/rpc/rsocket/node';
import { networkContract } from './network-contract.ts';
import { openSockets } from './open-sockets.ts';

networkContract('over RSocket', () => {
  const needs = { clock: systemClock, random: seededRandom(7) };
  const plain = nodeNetwork({ ...needs, tongues: (_, __, serving) => [httpTongue(serving)] });
  // Connections of its own for each endpoint: the contract has endpoints that know nothing of each other.
  const fast = overRSocket(plain, {
    connect: ({ host, port }) => new RSocketClient({ protocol: 'http', host, port }, needs),
  });
  const network: HttpNetwork = { ...fast, connect: (target) => fast.connect({ ...target, rsocket: true }) };
  return { network, ...needs, pass: async () => {}, leftovers: openSockets };
});
