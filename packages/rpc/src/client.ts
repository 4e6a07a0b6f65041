import type { Call } from '@flotilla/core';
import type { AnyContract, Operation } from './contract/index.ts';
import type { Reply, ReplyStream } from './reply.ts';

/** What one call may be told besides its input. */
export interface CallTerms {
  /** Milliseconds that this call may take. Default: the client's. */
  readonly timeoutMs?: number;
  /** Lets the callee recognise a repeated command. Default: a new one for idempotent commands, none for others. */
  readonly idempotencyKey?: string;
}

/** The operations of a contract as functions. */
export type Client<C extends AnyContract> = {
  readonly [Name in keyof C['operations']]: ClientMethod<C['operations'][Name]>;
};

/** One operation as a function; `call` is the call to work for, by default the one that the running code works for. */
export type ClientMethod<Op> =
  Op extends Operation<infer Kind, infer In, unknown, infer Out, infer Errors>
    ? (
        input: In,
        call?: Call,
        terms?: CallTerms,
      ) => Kind extends 'stream' ? ReplyStream<Out, Errors> : Reply<Out, Errors>
    : never;
