import { identity } from '../identity.ts';
import { type Instance, leaseDefaults } from '../instance.ts';

/** An instance that is up, with the parts that a test is about. */
export function anInstance(parts: Partial<Instance> & { readonly service?: string } = {}): Instance {
  const { service = 'orders', ...given } = parts;
  return {
    id: 'a',
    identity: identity(service),
    incarnation: 1,
    addresses: [{ protocol: 'http', host: '10.0.0.1', port: 8080 }],
    contracts: [],
    status: 'up',
    weight: 1,
    lease: leaseDefaults,
    revision: 0,
    metadata: {},
    bags: {},
    ...given,
  };
}
