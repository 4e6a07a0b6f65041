import { type Filter, type FlotillaError, nearest } from '@flotilla/core';
import { fallback, isOutage, type PolicyEvents } from '@flotilla/resilience';
import { type AnyContract, type Operation, type OperationRequest, operationKinds } from '@flotilla/rpc';

/** What is answered when nobody could; a value, or a function of the error and the input. */
export interface Fallback<In, Out> {
  readonly value?: Out;
  /** What it throws is the answer then. */
  readonly answer?: (error: FlotillaError, input: In) => Out | Promise<Out>;
  /** Codes of the errors that it is for. Default: every outage; neither mistakes of the caller nor errors of the contract. */
  readonly codes?: readonly string[];
}

/** A fallback for some of a contract's operations; those that answer with streams have none. */
export type Fallbacks<C extends AnyContract> = {
  readonly [Name in keyof C['operations']]?: C['operations'][Name] extends Operation<
    infer Kind,
    infer In,
    unknown,
    infer Out,
    unknown
  >
    ? Kind extends 'query' | 'command'
      ? Fallback<In, Out>
      : never
    : never;
};

/**
 * The filter that answers by fallbacks; undefined when there are none.
 * @throws TypeError naming an operation that the contract does not have, or that answers otherwise than once
 */
export function fallbackFilter<C extends AnyContract>(
  contract: C,
  fallbacks: Fallbacks<C> | undefined,
  target: string,
  events: PolicyEvents,
): Filter<OperationRequest, unknown> | undefined {
  const given = Object.entries<Fallback<unknown, unknown> | undefined>((fallbacks ?? {}) as never);
  const filters = new Map<string, Filter<OperationRequest, unknown>>();
  for (const [operation, spec] of given) {
    if (!spec) continue;
    assertAnswersOnce(contract, operation);
    if (!('value' in spec || spec.answer))
      throw new TypeError(`the fallback of "${operation}" has neither value nor answer`);
    const { value, answer, codes } = spec;
    filters.set(
      operation,
      fallback({
        answer: (error, { input }) => (answer ? answer(error, input) : value),
        when: codes ? ({ code }) => codes.includes(code) : isOutage,
        target,
        operation: `${contract.name}.${operation}`,
        events,
      }),
    );
  }
  if (filters.size === 0) return undefined;
  return (next) => {
    const chains = new Map([...filters].map(([operation, filter]) => [operation, filter(next)]));
    return (request, call) => (chains.get(request.operation.info.operation) ?? next)(request, call);
  };
}

function assertAnswersOnce({ name, operations }: AnyContract, operation: string): void {
  const spec = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
  if (!spec) {
    const meant = nearest(operation, Object.keys(operations));
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    throw new TypeError(`a fallback is given for "${operation}", which contract "${name}" does not have${hint}`);
  }
  if (operationKinds[spec.kind].response === 'one' && operationKinds[spec.kind].request === 'one') return;
  throw new TypeError(
    `a fallback is given for "${name}.${operation}", a ${spec.kind}: only a query or command has one`,
  );
}
