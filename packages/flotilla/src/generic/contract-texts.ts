import { Call, type ContractRef, FlotillaError, type Instance } from '@flotilla/core';
import { HttpHeaders, parseJson, parsePath, readBody } from '@flotilla/http';
import { type AnyContract, contractFrom } from '@flotilla/rpc';
import type { ClientRuntime } from '../client.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { WantedOperation } from './operation-name.ts';

/**
 * A place where contracts can be had.
 * @param instance one that serves it
 * @returns what `contractFrom` takes; undefined: it is not known there
 */
export type ContractTexts = (contract: ContractRef, instance: Instance) => Promise<unknown>;

/** A contract in the form that an instance serves. */
export interface ServedContract {
  readonly ref: ContractRef;
  readonly instance: Instance;
}

/** Those that the registry keeps by their fingerprints. */
export function textsOf(discovery: Pick<Discovery, 'contractText'>): ContractTexts {
  return async (contract) => {
    const text = contract.hash === '' ? undefined : await discovery.contractText?.(contract);
    return text === undefined ? undefined : JSON.parse(text);
  };
}

/** Those that instances tell at their management ports, for registries that keep none. */
export function textsOfInstances(
  { network, clock, random }: Pick<ClientRuntime, 'network' | 'clock' | 'random'>,
  { timeoutMs = 2_000 }: { readonly timeoutMs?: number } = {},
): ContractTexts {
  return async ({ name, version }, { metadata }) => {
    const { 'management.address': host, 'management.port': port } = metadata;
    if (host === undefined || port === undefined || !/^[0-9]{1,5}$/.test(port)) return undefined;
    const endpoint = network.connect({ protocol: 'http', host, port: Number(port) });
    const call = new Call({ clock, random, deadline: clock.now() + timeoutMs });
    try {
      const headers = new HttpHeaders([['accept', 'application/json']]);
      const head = { method: 'GET', authority: `${host}:${port}`, path: parsePath('/contracts'), query: '', headers };
      const { status, body } = await endpoint.handle({ ...head, body: undefined }, call);
      const bytes = await readBody(body, maxDescriptionBytes, call);
      return status === 200 ? operationsIn(parseJson(bytes), name, version) : undefined;
    } finally {
      call.end();
      await endpoint.close();
    }
  };
}

/** Some hundreds of operations with their schemas. */
const maxDescriptionBytes = 4_194_304;

/**
 * The contract as the newest instance that serves it has it: in a rolling deployment both forms are there, and the newest is
 * what the fleet is becoming.
 * @throws FlotillaError NO_INSTANCE
 */
export function newestForm(instances: readonly Instance[], wanted: WantedOperation): ServedContract {
  const [newest] = instances
    .flatMap((instance) => instance.contracts.map((ref) => ({ instance, ref })))
    .filter(({ ref }) => ref.name === wanted.contract && (wanted.version ?? ref.version) === ref.version)
    .sort((a, b) => b.ref.version - a.ref.version || (b.instance.startedAt ?? 0) - (a.instance.startedAt ?? 0));
  if (!newest) throw nobodyServes(instances, wanted);
  return newest;
}

/**
 * Makes the contract of the first text that is found.
 * @throws FlotillaError UNAVAILABLE where none is; whatever a source rejects with, BAD_RESPONSE for a text that is none
 */
export async function makeContract(
  { ref, instance }: ServedContract,
  texts: readonly ContractTexts[],
): Promise<AnyContract> {
  for (const source of texts) {
    const operations = await source(ref, instance);
    if (operations !== undefined) return contractFrom(ref, operations);
  }
  throw new FlotillaError(
    'UNAVAILABLE',
    `"${instance.identity.service}" serves the contract "${ref.name}", but what is in it is known neither to the registry nor at its management port`,
  );
}

function operationsIn(document: unknown, name: string, version: number): unknown {
  const described = (Array.isArray(document) ? document : []) as readonly {
    readonly name?: unknown;
    readonly version?: unknown;
    readonly operations?: unknown;
  }[];
  return described.find((contract) => contract?.name === name && contract.version === version)?.operations;
}

function nobodyServes(instances: readonly Instance[], { contract, version }: WantedOperation): FlotillaError {
  const served = [
    ...new Set(instances.flatMap(({ contracts }) => contracts.map((ref) => `${ref.name} v${ref.version}`))),
  ];
  const hint =
    served.length === 0 ? 'nobody who serves any contract is found' : `what is found serves ${served.join(', ')}`;
  const wanted = version === undefined ? `"${contract}"` : `"${contract}" version ${version}`;
  return new FlotillaError('NO_INSTANCE', `nobody serves the contract ${wanted}; ${hint}`);
}
