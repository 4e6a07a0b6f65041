import { type Instance, identity } from '@flotilla/core';

/** An instance of ours with everything that Eureka has no field for. */
export function member(id: string, incarnation: number, changes: Partial<Instance> = {}): Instance {
  return {
    id,
    identity: identity('orders'),
    incarnation,
    addresses: [{ protocol: 'http', host: '10.0.0.1', port: 8_080 }],
    contracts: [{ name: 'orders', version: 2, hash: 'abc' }],
    status: 'up',
    zone: 'eu-1',
    weight: 3,
    lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
    revision: 0,
    metadata: { color: 'blue' },
    bags: {},
    ...changes,
  };
}
