import { type Call, type Clock, type Random, systemClock } from '@flotilla/core';
import { outsideCalls } from '@flotilla/gateway';
import { type HttpNetwork, type HttpRequest, readContext } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import { listenerDefaults, nodeNetwork } from '@flotilla/http/node';
import { httpResponder } from '@flotilla/rpc/rsocket';
import { MemoryRSocket } from '@flotilla/rpc/rsocket/memory';
import { fastNetwork } from 'flotilla';
import type { RSocketEngine } from '../network/party-network.ts';

/** What a fleet's messages travel by: inside, and through the door, where nothing that a stranger says is believed. */
export interface FleetEngines {
  readonly inside: HttpNetwork;
  readonly outside: HttpNetwork;
  /** Calls over RSocket. */
  readonly rsocket: RSocketEngine;
  /** Where a party listens. */
  hostOf(party: string): string;
}

/** @param clock that calls have their deadlines on. */
export function fleetEngines(kind: 'memory' | 'sockets', clock: Clock, random: Random): FleetEngines {
  const needs = { clock, random };
  if (kind === 'memory') {
    return {
      rsocket: memoryRSocket(random),
      inside: memoryNetwork(needs),
      outside: memoryNetwork({ ...needs, makeCall: outsideCalls(needs), encodedSlash: 'keep' }),
      hostOf: (party) => party.replaceAll('.', '-'), // a name that ends in a number would be read as an address
    };
  }
  // Sockets live in the machine's time, whatever the fleet's clock says.
  const sockets = { clock: systemClock, random };
  const { network: inside, connector } = fastNetwork({
    ...sockets,
    makeCall: ({ headers }: HttpRequest) => readContext(headers, needs),
    limits: { maxBodyBytes: Infinity }, // each operation has its own
  });
  return {
    inside,
    rsocket: { listen: () => undefined, connector: () => connector }, // on the same port
    outside: nodeNetwork({
      ...sockets,
      makeCall: outsideCalls(needs),
      limits: { maxHeaderFields: 100, maxBodyBytes: Infinity },
      encodedSlash: 'keep',
    }),
    hostOf: () => '127.0.0.1',
  };
}

/** RSocket in memory. Whoever serves calls by it takes HTTP requests over it, too, as on sockets. */
function memoryRSocket(random: Random): RSocketEngine {
  const wire = new MemoryRSocket();
  const limits = { ...listenerDefaults, maxBodyBytes: Infinity }; // each operation has its own
  return {
    listen(at, handler, clock) {
      const needs = { clock, random };
      const makeCall = ({ headers }: HttpRequest): Call => readContext(headers, needs);
      return wire.listen(at, handler, clock, (peer) => httpResponder({ handler, makeCall, clock, limits }, peer));
    },
    connector: (clock) => wire.connector(clock),
  };
}
