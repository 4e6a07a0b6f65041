import type { AnyContract, ByteSource, BytesAnswer, Download, Operation, OperationKind } from './contract/index.ts';
import type { OperationCall } from './operation-call.ts';

/** One handler per operation of a contract; none may be missing. */
export type Handlers<C extends AnyContract> = {
  readonly [Name in keyof C['operations']]: OperationHandler<C['operations'][Name]>;
};

/**
 * What serves one operation: it gets the parsed input, once, and answers the output or a stream of it. Of `upload` and
 * `duplex` it gets the elements as they come, each parsed when it is asked for.
 */
export type OperationHandler<Op> =
  Op extends Operation<infer Kind, unknown, infer Parsed, infer Out, infer Errors>
    ? (
        input: Kind extends 'upload' | 'duplex' ? AsyncIterable<Parsed> : Parsed,
        call: OperationCall<Errors>,
      ) => HandlerResult<Kind, Out>
    : never;

/** What a handler of one kind gives. Bytes of any form, where the contract says bytes. */
export type HandlerResult<Kind extends OperationKind, Out> = Kind extends 'stream' | 'duplex'
  ? AsyncIterable<Out>
  : [Out] extends [Uint8Array | Download]
    ? Promise<ByteSource | BytesAnswer> | ByteSource | BytesAnswer
    : Promise<Out> | Out;

/** A contract and what serves it, made by {@link bind}, which checked them against each other. */
export interface Binding {
  readonly contract: AnyContract;
  readonly handlers: Readonly<Record<string, (input: never, call: never) => unknown>>;
}

/**
 * Joins a contract and its handlers.
 *
 * ```ts
 * bind(catalog, { product: async ({ id }, call) => (await find(id)) ?? call.fail('NOT_FOUND', { id }), … })
 * ```
 */
export function bind<C extends AnyContract>(contract: C, handlers: Handlers<C>): Binding {
  return { contract, handlers: handlers as Binding['handlers'] };
}
