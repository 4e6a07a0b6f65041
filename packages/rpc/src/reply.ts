import { type ErrorCode, FlotillaError } from '@flotilla/core';

/** An answer that is on its way, with the types of the errors that it may be instead. */
export interface Reply<Out, Errors> extends Promise<Out> {
  /** Never set: carries the types. */
  readonly '~errors'?: Errors;
}

/**
 * Answers that come one by one. Each loop over it makes a request of its own, when it asks for the first element;
 * leaving the loop early cancels it.
 */
export interface ReplyStream<Out, Errors> extends AsyncIterable<Out> {
  /** Never set: carries the types. */
  readonly '~errors'?: Errors;
}

/** An error that the operation's contract declares. */
export type DeclaredError<Code extends string, Data> = FlotillaError & { readonly code: Code; readonly data: Data };

/** An error of the platform's own table. */
export type PlatformError = FlotillaError & { readonly code: ErrorCode };

/** Every error that a reply may be: told apart by `code`. */
export type ReplyError<Errors> =
  | { [Code in keyof Errors & string]: DeclaredError<Code, Errors[Code]> }[keyof Errors & string]
  | PlatformError;

/** An answer or its error. */
export type SafeResult<Out, Errors> =
  | { readonly ok: true; readonly value: Out }
  | { readonly ok: false; readonly error: ReplyError<Errors> };

/**
 * Waits for a reply and gives its error as a value, typed by the contract.
 *
 * ```ts
 * const result = await safe(catalog.product({ id }));
 * if (!result.ok && result.error.code === 'NOT_FOUND') show(result.error.data.id);
 * ```
 *
 * What is no FlotillaError (a mistake in the program, not an answer) is thrown on.
 */
export async function safe<Out, Errors>(reply: Reply<Out, Errors>): Promise<SafeResult<Out, Errors>> {
  try {
    return { ok: true, value: await reply };
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError)) throw thrown;
    return { ok: false, error: thrown as ReplyError<Errors> };
  }
}
