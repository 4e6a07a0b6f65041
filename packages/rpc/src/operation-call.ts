import { type Call, FlotillaError } from '@flotilla/core';
import type { ErrorSpecs } from './contract/index.ts';

/**
 * The call that a handler works for. It is core's call, so it goes wherever one is wanted, and it knows the errors that
 * the operation's contract declares.
 */
export interface OperationCall<Errors> extends Call {
  /**
   * Answers a declared error.
   *
   * ```ts
   * return (await find(id)) ?? call.fail('NOT_FOUND', { id });
   * ```
   *
   * @param code one that the operation declares
   * @param rest its data, if it carries any, and a sentence for the person who reads the error
   * @throws FlotillaError always
   */
  fail<Code extends keyof Errors & string>(code: Code, ...rest: FailArguments<Errors[Code]>): never;
}

/** Data, unless the error carries none, and a sentence. */
export type FailArguments<Data> = [Data] extends [undefined]
  ? [data?: undefined, detail?: string]
  : [data: Data, detail?: string];

/** What {@link OperationCall.fail} is at run time. */
export type Fail = (code: string, data?: unknown, detail?: string) => never;

/** One function per operation, made when its server is built. */
export function failOf(operation: string, errors: ErrorSpecs): Fail {
  return (code, data, detail) => {
    const spec = Object.hasOwn(errors, code) ? errors[code] : undefined;
    if (!spec) {
      const declared = Object.keys(errors).join(', ') || 'none';
      throw new TypeError(
        `${operation} fails with "${code}", which its contract does not declare; declared: ${declared}`,
      );
    }
    throw new FlotillaError(code, detail ?? `${operation} answered ${code}`, {
      httpStatus: spec.status,
      data,
      // The handler ran and decided; to run it again would decide the same.
      executed: 'yes',
    });
  };
}

/**
 * Gives a call its `fail`. The very call that the server engine made is given it, not a copy, so that filters and
 * handler share attributes, cancelling and the end; only one that already belongs to another operation gets a child.
 */
export function operationCall<Errors>(call: Call, fail: Fail): OperationCall<Errors> {
  const own = 'fail' in call ? call.child() : call;
  if (own !== call) call.onEnd((outcome) => own.end(outcome));
  // Assigned plainly: every call of a server is given it, and a call that was copied into is slow to make.
  (own as { fail?: Fail }).fail = fail;
  return own as Call as OperationCall<Errors>;
}
