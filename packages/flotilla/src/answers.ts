import type { Meter } from '@flotilla/core';
import {
  type AnswerFilterOptions,
  type ClientGuard,
  type FilterEntry,
  type GatherPlan,
  type GivenServicePolicies,
  layered,
  liveAnswers,
  type PolicyEvents,
} from '@flotilla/resilience';
import {
  type AnyBatchRule,
  type AnyContract,
  type BatchRules,
  batchPlan,
  type CalledOperation,
  calledOperations,
  groupKey,
  keyPrefix,
  type OperationRequest,
  type OperationResponse,
  operationKey,
  printValue,
} from '@flotilla/rpc';

/** What a client may be told of answers that spare calls. */
export interface AnswerOptions<C extends AnyContract> {
  /**
   * Operations whose calls are gathered, and into which: `{ product: { into: 'products' } }`. The numbers may be configured
   * under `batch`.
   */
  readonly batches?: BatchRules<C>;
  /** Members of the baggage that answers of queries vary with, besides the tenant: callers who differ in them share nothing. */
  readonly vary?: readonly string[];
}

/** What the answers of one client need. */
export interface AnswerNeeds {
  readonly contract: AnyContract;
  /** Its rules were checked by their types where they were written. */
  readonly options: { readonly batches?: object | undefined; readonly vary?: readonly string[] | undefined };
  readonly guard: ClientGuard;
  readonly events: PolicyEvents;
  readonly meter: Meter;
}

/** Answers that spare calls, for one client. */
export interface ClientAnswers {
  readonly entry: FilterEntry<OperationRequest, OperationResponse>;
  forget(operation: string | undefined, input: unknown): void;
}

/** @throws RangeError for a batch that cannot be made */
export function clientAnswers({ contract, options, guard, events, meter }: AnswerNeeds): ClientAnswers {
  const { batches = {}, vary = [] } = options;
  const operations = calledOperations(contract);
  const plans = new Map(
    Object.entries(batches).map(([name, rule]) => [
      `${contract.name}.${name}`,
      batchPlan(name, rule as AnyBatchRule, operations) as GatherPlan<OperationRequest, OperationResponse>,
    ]),
  );
  const needsOf = ({ name }: CalledOperation): Omit<AnswerFilterOptions<OperationRequest, unknown>, 'policies'> => ({
    operation: name,
    target: guard.target,
    keyOf: (request, call) => operationKey(request, call, vary),
    groupOf: (request, call) => groupKey(request, call, vary),
    plan: plans.get(name),
    events,
    meter,
  });
  const answers = liveAnswers<CalledOperation, OperationRequest, OperationResponse>({
    operationOf: ({ operation }) => operation,
    policiesOf: ({ info }) => guard.of(info),
    needsOf,
  });
  return {
    entry: {
      name: 'answers',
      reason: 'above the policies of a call: an answer that is there needs none, and a batch has those of its own',
      filter: answers.filter,
    },
    forget(name, input) {
      const operation = name === undefined ? undefined : operations.get(name);
      if (name === undefined) answers.forget(() => true);
      else if (operation) answers.forget(matching(operation, input));
    },
  };
}

/** All tenants' answers of an operation, or those to one input. */
function matching(operation: CalledOperation, input: unknown): (key: string) => boolean {
  const prefix = keyPrefix(operation.name, operation.info.version);
  if (input === undefined) return (key) => key.startsWith(prefix);
  const suffix = `\n${printValue(input)}`;
  return (key) => key.startsWith(prefix) && key.endsWith(suffix);
}

/** What the code of a client says, the numbers of its rules among it: configuration wins over both. */
export function withBatchNumbers({
  batches = {},
  operations = {},
  ...rest
}: GivenServicePolicies & { readonly batches?: object | undefined }): GivenServicePolicies {
  const numbered = Object.entries(batches).map(([name, rule]) => {
    const { max, windowMs } = rule as AnyBatchRule;
    return [name, layered([{ batch: { max, windowMs } }, operations[name]])] as const;
  });
  return { ...rest, operations: { ...operations, ...Object.fromEntries(numbered) } };
}
