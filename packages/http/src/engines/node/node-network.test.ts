import { systemClock } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import { networkContract } from '../../../test/network-contract.ts';
import { openSockets } from '../../../test/open-sockets.ts';
import { nodeNetwork } from './index.ts';

networkContract('on sockets', () => {
  const random = seededRandom(7);
  return {
    network: nodeNetwork({ clock: systemClock, random }),
    clock: systemClock,
    random,
    pass: async () => {},
    leftovers: openSockets,
  };
});
