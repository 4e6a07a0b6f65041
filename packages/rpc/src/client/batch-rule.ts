import { type Call, FlotillaError, idempotentAttribute } from '@flotilla/core';
import type { AnyContract, Operation, Operations } from '../contract/index.ts';
import { operationAttribute } from '../operation-attribute.ts';
import type { CalledOperation, OperationRequest } from './operation-request.ts';

type InOf<Op> = Op extends Operation<infer _Kind, infer In, unknown, unknown, unknown> ? In : never;
type OutOf<Op> = Op extends Operation<infer _Kind, unknown, unknown, infer Out, unknown> ? Out : never;

/** One of the items that a batch is answered with: what the single operation would have answered, or its error. */
export type BatchedItem<Out> =
  | { readonly value: Out }
  | { readonly error: { readonly code: string; readonly detail?: string | undefined; readonly data?: unknown } };

/** How calls of one operation become one call of another one of the same contract. */
export interface BatchRuleOf<In, Out, ManyIn, ManyOut> {
  /** The input that asks for all of them, in their order. Default: `{ items: inputs }`. */
  readonly ask: (inputs: readonly In[]) => ManyIn;
  /** The answers to each, in their order. Default: the `items` of the output. */
  readonly answers: (output: ManyOut, inputs: readonly In[]) => readonly BatchedItem<Out>[];
}

/** Where the other operation takes and gives `items`, nothing has to be said. */
type Conventional<In, Out, ManyIn, ManyOut> = { items: In[] } extends ManyIn
  ? ManyOut extends { readonly items: readonly BatchedItem<Out>[] }
    ? Partial<BatchRuleOf<In, Out, ManyIn, ManyOut>>
    : BatchRuleOf<In, Out, ManyIn, ManyOut>
  : BatchRuleOf<In, Out, ManyIn, ManyOut>;

/** What calls of the operation `Name` may be gathered into. */
export type BatchRule<Ops extends Operations, Name extends keyof Ops> = {
  readonly [Into in keyof Ops & string]: {
    /** The operation that takes many: it has to answer for each, in order. */
    readonly into: Into;
    /** Calls in one batch. Default 100. */
    readonly max?: number;
    /** Milliseconds that the first call waits for others. Default 2. */
    readonly windowMs?: number;
  } & Conventional<InOf<Ops[Name]>, OutOf<Ops[Name]>, InOf<Ops[Into]>, OutOf<Ops[Into]>>;
}[keyof Ops & string];

/**
 * Operations whose calls are gathered, by name.
 *
 * ```ts
 * app.client(catalog, { batches: { product: { into: 'products', ask: (keys) => ({ ids: keys.map(({ id }) => id) }), answers } } });
 * ```
 */
export type BatchRules<C extends AnyContract> = {
  readonly [Name in keyof C['operations']]?: BatchRule<C['operations'], Name>;
};

/** A rule without its types, as filters use it. */
export interface AnyBatchRule {
  readonly into: string;
  readonly max?: number;
  readonly windowMs?: number;
  readonly ask?: (inputs: readonly unknown[]) => unknown;
  readonly answers?: (output: unknown, inputs: readonly unknown[]) => readonly BatchedItem<unknown>[];
}

/** How a rule is carried out: what the filter that gathers calls is given. */
export interface BatchPlan {
  readonly join: (requests: readonly OperationRequest[]) => OperationRequest;
  readonly split: (
    output: unknown,
    requests: readonly OperationRequest[],
  ) => readonly ({ readonly value: unknown } | { readonly error: FlotillaError })[];
  readonly prepare: (call: Call) => void;
}

/**
 * Works out a rule.
 * @throws RangeError when the contract has no such operations, or one of them answers a stream or bytes
 */
export function batchPlan(
  name: string,
  rule: AnyBatchRule,
  operations: ReadonlyMap<string, CalledOperation>,
): BatchPlan {
  const single = operations.get(name);
  const into = operations.get(rule.into);
  if (!single) throw new RangeError(`batch: the contract has no operation "${name}"`);
  if (!into) throw new RangeError(`batch.${name}.into: the contract has no operation "${rule.into}"`);
  for (const { name: which, info, mapping } of [single, into]) {
    if (info.kind !== 'query' || info.streamed || mapping.answer) {
      throw new RangeError(`batch.${name}: only queries that answer JSON can be gathered; ${which} is none`);
    }
  }
  const { ask = (items) => ({ items }), answers = itemsOf } = rule;
  return {
    join: (requests) => ({ operation: into, input: ask(requests.map(({ input }) => input)) }),
    split: (output, requests) =>
      answers(
        output,
        requests.map(({ input }) => input),
      ).map((item) => ('error' in item ? { error: errorOf(item.error, single) } : item)),
    prepare(call) {
      call.set(operationAttribute, into.info);
      call.set(idempotentAttribute, into.info.idempotent);
    },
  };
}

function itemsOf(output: unknown): readonly BatchedItem<unknown>[] {
  const items = typeof output === 'object' && output !== null && 'items' in output ? output.items : undefined;
  if (Array.isArray(items)) return items as readonly BatchedItem<unknown>[];
  throw new FlotillaError('BAD_RESPONSE', 'a batch was answered without "items"; see batch');
}

/** The item's error as the single operation would have answered it: one of its contract, with the status from there. */
function errorOf(
  { code, detail, data }: { readonly code: string; readonly detail?: string | undefined; readonly data?: unknown },
  { name, spec }: CalledOperation,
): FlotillaError {
  const declared = Object.hasOwn(spec.errors, code) ? spec.errors[code] : undefined;
  const status = declared === undefined ? undefined : { httpStatus: declared.status, executed: 'yes' as const };
  return new FlotillaError(code, detail ?? `${name} answered ${code}`, { data, fromPeer: true, ...status });
}
