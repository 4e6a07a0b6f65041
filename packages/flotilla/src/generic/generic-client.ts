import { type Call, FlotillaError, type InstanceSet, nearest, type Target } from '@flotilla/core';
import type { CallTerms } from '@flotilla/rpc';
import { makeContract, newestForm } from './contract-texts.ts';
import { GenericOperation } from './generic-operation.ts';
import type { GenericClientNeeds } from './needs.ts';
import { parseOperationName, type WantedOperation } from './operation-name.ts';
import { Services } from './services.ts';

/** Calls operations by their names, with JSON, without having their contracts. */
export interface GenericClient {
  /**
   * Finds an operation, and what its service says of it.
   * @param service undefined: whichever serves the contract
   * @param name `catalog.product`; `catalog@2.product` for a version other than the highest that is served
   * @throws FlotillaError NO_INSTANCE: nobody serves the contract; NO_ROUTE, naming the nearest operation; PACKAGE_MISSING
   *   and others of looking up; INVALID_INPUT for a name that is none
   */
  operation(service: string | undefined, name: string): Promise<GenericOperation>;
  /**
   * Calls an operation that answers once.
   * @param input JSON; of `upload` an iterable of JSON, which is read as the callee wants it
   * @throws FlotillaError INVALID_INPUT naming the field, `executed` no; an error of the contract with its data; any other
   *   that a typed client rejects with
   */
  call(service: string | undefined, name: string, input?: unknown, call?: Call, terms?: CallTerms): Promise<unknown>;
  /** Calls an operation that answers with many elements. Leaving the loop cancels it. Throws as {@link call} does. */
  stream(
    service: string | undefined,
    name: string,
    input?: unknown,
    call?: Call,
    terms?: CallTerms,
  ): AsyncIterable<unknown>;
  /** Lets calls in hand end, then gives up all connections. */
  close(): Promise<void>;
}

/**
 * A client for tools and tests. It finds instances, balances, retries and traces as a typed client does: the contract is
 * made of what the service says of it, and each input is checked against the contract's JSON Schema before it is sent, where
 * there is one.
 *
 * ```ts
 * const client = genericClient({ ...runtime, texts: [textsOf(discovery)] });
 * await client.call('catalog', 'catalog.product', { id: '7' });
 * for await (const price of client.stream('catalog', 'catalog.prices', { ids: ['7'] })) show(price);
 * ```
 */
export function genericClient(needs: GenericClientNeeds): GenericClient {
  const services = new Services(needs);

  const operation = async (service: string | undefined, name: string): Promise<GenericOperation> => {
    const wanted = parseOperationName(name);
    const target: Target = service === undefined ? { contract: wanted.contract } : { service };
    const instances = await services.instances(target, (set) => serves(set, wanted));
    const form = newestForm(instances, wanted);
    const { contract, client } = await services.client(target, form.ref, () => makeContract(form, needs.texts));
    const { operations } = contract;
    if (!Object.hasOwn(operations, wanted.operation)) throw unknownOperation(wanted, Object.keys(operations));
    return new GenericOperation(contract, wanted.operation, client);
  };

  return {
    operation,
    call: async (service, name, input, call, terms) => (await operation(service, name)).call(input, call, terms),
    stream: (service, name, input, call, terms) => ({
      async *[Symbol.asyncIterator]() {
        yield* (await operation(service, name)).stream(input, call, terms);
      },
    }),
    close: () => services.close(),
  };
}

function serves({ instances }: InstanceSet, { contract, version }: WantedOperation): boolean {
  return instances.some(({ contracts }) =>
    contracts.some((served) => served.name === contract && (version === undefined || served.version === version)),
  );
}

function unknownOperation({ contract, operation }: WantedOperation, known: readonly string[]): FlotillaError {
  const meant = nearest(operation, known);
  const hint = meant === undefined ? `it has ${known.join(', ')}` : `did you mean "${contract}.${meant}"?`;
  return new FlotillaError('NO_ROUTE', `the contract "${contract}" has no operation "${operation}"; ${hint}`, {
    executed: 'no',
  });
}
