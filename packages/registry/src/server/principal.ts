import type { HttpRequest } from '@flotilla/http';
import type { Speaker } from './operations.ts';

/**
 * What a principal may do.
 *
 * | role | may |
 * |---|---|
 * | `reader` | read |
 * | `instance` | that, and register instances of its own services; renew, change and deregister those that it registered |
 * | `operator` | all that for every service and everybody's instances, set overrides, evict what self-preservation holds |
 * | `peer` | pass on what another registry was told, for every service; its own services as `instance` does |
 */
export type RegistryRole = 'reader' | 'instance' | 'operator' | 'peer';

/** Who sent a request. */
export interface Principal {
  readonly name: string;
  /** `anybody`: a registry without users. */
  readonly role: RegistryRole | 'anybody';
  readonly isOperator: boolean;
  /** Whether it may pass on what another registry heard, of any service: a registry itself. */
  readonly mayReplicate: boolean;
  /** Whether it may speak for the instances of a service of that name. */
  maySpeakFor(service: string): boolean;
  /** Whether its instances may say that they serve a contract of that name. */
  mayServe(contract: string): boolean;
}

/** What of a user decides about what it may do. */
export interface Powers {
  readonly name: string;
  readonly role: RegistryRole;
  readonly services?: readonly string[];
  readonly contracts?: readonly string[];
}

/** Without users everybody is an operator: for loopback only, see `assertRegistryExposure`. */
export const anybody: Principal = Object.freeze({
  name: 'anybody',
  role: 'anybody',
  isOperator: true,
  mayReplicate: true,
  maySpeakFor: () => true,
  mayServe: () => true,
});

/** Who reads without credentials, where that is allowed. */
export const passerBy: Principal = principalOf({ name: 'anonymous', role: 'reader' });

export function principalOf({ name, role, services = [name], contracts = ['*'] }: Powers): Principal {
  const own = new Set(services.map((service) => service.toLowerCase()));
  const isOperator = role === 'operator';
  return Object.freeze({
    name,
    role,
    isOperator,
    mayReplicate: isOperator || role === 'peer',
    maySpeakFor: (service: string) =>
      isOperator || (role !== 'reader' && (own.has('*') || own.has(service.toLowerCase()))),
    mayServe: (contract: string) => isOperator || contracts.includes('*') || contracts.includes(contract),
  });
}

/** A principal as whoever keeps its word needs it. */
export function speakerOf({ name, role }: Principal, { peer }: HttpRequest): Speaker {
  return peer ? { name, role, address: peer.address } : { name, role };
}
