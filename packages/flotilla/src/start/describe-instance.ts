import {
  type Address,
  type ContractDocument,
  type ContractRef,
  formatHostPort,
  type Instance,
  identity,
  leaseDefaults,
} from '@flotilla/core';
import { type AnyContract, contractHash, contractText } from '@flotilla/rpc';
import type { ServiceOptions } from '../app.ts';
import type { PlatformConfig } from '../platform-settings.ts';
import type { ServiceRuntime } from './service-runtime.ts';

/** What of an application its instance tells. */
interface DescribedParts {
  readonly name: string;
  readonly options: Pick<ServiceOptions<never>, 'version' | 'metadata'>;
  readonly bindings: readonly { readonly contract: AnyContract }[];
  /** What it calls others by. */
  readonly clients: readonly { readonly contract: AnyContract }[];
}

/**
 * What an instance says of itself when it comes up, at `address`.
 * @param beside other protocols that the same port speaks
 */
export function describeInstance(
  { name, options, bindings, clients }: DescribedParts,
  config: Pick<PlatformConfig, 'zone' | 'weight' | 'metadata'>,
  { clock, random, management }: Pick<ServiceRuntime, 'clock' | 'random' | 'management'>,
  address: Address,
  beside: readonly string[] = [],
): Instance {
  const startedAt = clock.wallNow();
  // Unique per process: a successor on the same port is another instance, so that the one that leaves takes out itself.
  const suffix = Math.floor(random() * 36 ** 4).toString(36);
  return {
    id: `${formatHostPort(address)}:${name}:${suffix}`,
    identity: identity(name, options.version === undefined ? {} : { version: options.version }),
    incarnation: startedAt,
    addresses: [address, ...beside.map((protocol) => ({ ...address, protocol }))],
    contracts: bindings.map(refOf),
    // Two clients may call one contract, of two services.
    calls: [...new Set(clients.map(({ contract }) => contract))].map((contract) => refOf({ contract })),
    status: 'up',
    ...(config.zone === undefined ? undefined : { zone: config.zone }),
    weight: config.weight,
    lease: leaseDefaults,
    startedAt,
    revision: 0,
    metadata: {
      ...options.metadata,
      ...config.metadata,
      ...(management && {
        'management.address': management.host,
        'management.port': String(management.port),
      }),
    },
    bags: {},
  };
}

function refOf({ contract }: { readonly contract: AnyContract }): ContractRef {
  return { name: contract.name, version: contract.version, hash: contractHash(contract) };
}

/** Everything that an application serves or calls. */
export function contractsOf({ bindings, clients }: Pick<DescribedParts, 'bindings' | 'clients'>): AnyContract[] {
  return [...new Set([...bindings, ...clients].map(({ contract }) => contract))];
}

/** What a registry may ask for. */
export function documentsOf(contracts: readonly AnyContract[]): ContractDocument[] {
  return contracts.map((contract) => ({ hash: contractHash(contract), text: () => contractText(contract) }));
}
