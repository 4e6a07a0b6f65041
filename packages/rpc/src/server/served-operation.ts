import {
  type Attribute,
  attribute,
  type Call,
  type Clock,
  FlotillaError,
  runInCall,
  toFlotillaError,
  within,
} from '@flotilla/core';
import type { AnyContract, AnyOperation, HttpMapping } from '../contract/index.ts';
import type { OperationInfo } from '../operation-attribute.ts';
import { type Fail, operationCall } from '../operation-call.ts';
import { answerError } from './answer-error.ts';
import type { ServerLog } from './log.ts';
import { type Validation, validateNow } from './validate.ts';

/** All that serving one operation takes. */
export interface ServedOperation {
  /** `catalog.product` */
  readonly name: string;
  readonly info: OperationInfo;
  readonly contract: AnyContract;
  readonly operation: AnyOperation;
  readonly mapping: HttpMapping;
  readonly handler: (input: never, call: never) => unknown;
  readonly fail: Fail;
  readonly log: ServerLog;
  readonly maxBodyBytes: number;
  readonly heartbeatMs: number;
  readonly headWaitMs: number;
  readonly clock: Clock | undefined;
}

/** The error that a caller was told of, by a problem document or at the end of a stream. Unset: none. */
export const answeredErrorAttribute: Attribute<FlotillaError> = attribute('answeredError');

/** Of an input, or of one element of it, as JSON. */
export function maxInputBytes({ mapping, maxBodyBytes }: ServedOperation): number {
  return mapping.body && 'maxBytes' in mapping.body ? mapping.body.maxBytes : maxBodyBytes;
}

/** Runs the handler in its call. */
export function run({ handler, fail }: ServedOperation, input: unknown, call: Call): unknown {
  return handler(input as never, operationCall(call, fail) as never);
}

/**
 * Parses and strips an output by its schema: a misfit is the handler's fault, and is logged with its issues.
 * @returns a promise only where the validator gives one @throws what {@link explain} explains
 */
export function parseOutput(served: ServedOperation, output: unknown, call: Call): unknown {
  const { out } = served.operation;
  if (!out) return undefined;
  const validation = validateNow(out, output);
  return validation instanceof Promise ? outputLater(served, validation, call) : outputOf(served, validation, call);
}

function outputLater(served: ServedOperation, validation: Promise<Validation>, call: Call): Promise<unknown> {
  return validation.then((parsed) => outputOf(served, parsed, call));
}

function outputOf({ name, log }: ServedOperation, parsed: Validation, call: Call): unknown {
  if (parsed.ok && parsed.value === undefined) throw new TypeError('the output is undefined; JSON has null');
  if (parsed.ok) return parsed.value;
  log.outputInvalid({ operation: name, traceId: call.trace.traceId }, parsed.issues);
  throw new OutputInvalid();
}

/** Was logged already, with its issues. */
class OutputInvalid extends Error {}

/** Thrown in place of a handler that has not begun: its cause is what the caller is told, as it is. */
export class NotBegun extends Error {
  override readonly cause: FlotillaError;

  constructor(cause: FlotillaError) {
    super(cause.message);
    this.cause = cause;
  }
}

/** The error that a caller is told of, when something failed after the handler had begun. */
export async function explain(
  { name, operation, log }: ServedOperation,
  thrown: unknown,
  call: Call,
): Promise<FlotillaError> {
  if (thrown instanceof NotBegun) return thrown.cause;
  if (thrown instanceof OutputInvalid)
    return new FlotillaError('INTERNAL', `the output of ${name} does not fit its schema`);
  return answerError(thrown, { name, errors: operation.errors, log }, call);
}

/** Before the handler ran: a refusal, or a validator that threw. */
export function refusalOf(thrown: unknown, { name, log }: ServedOperation, call: Call): FlotillaError {
  if (!(thrown instanceof FlotillaError)) {
    log.operationFailed({ operation: name, traceId: call.trace.traceId }, 'reading the input threw', thrown);
  }
  return toFlotillaError(thrown);
}

/**
 * The elements of a handler, each parsed by its schema when it is asked for. The handler's generator runs in whatever asks
 * it, so its call is given to it each time; a wait for an element ends with the call. It rejects with the error that the
 * caller is told of.
 */
export class AnsweredElements implements AsyncIterableIterator<unknown, undefined> {
  readonly #served: ServedOperation;
  readonly #call: Call;
  readonly #elements: AsyncIterator<unknown>;
  #over = false;

  constructor(served: ServedOperation, input: unknown, call: Call) {
    this.#served = served;
    this.#call = call;
    this.#elements = (run(served, input, call) as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#over) return done;
    try {
      const result = await within(
        this.#call,
        runInCall(this.#call, () => this.#elements.next()),
      );
      if (!result.done) return { done: false, value: await parseOutput(this.#served, result.value, this.#call) };
      this.#over = true;
      return done;
    } catch (thrown) {
      this.#leave();
      throw await explain(this.#served, thrown, this.#call);
    }
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#leave();
    return done;
  }

  /** Not awaited: a generator that waits for something ends when that comes, and its error then is nobody's. */
  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    Promise.try(() => runInCall(this.#call, () => this.#elements.return?.())).catch(() => undefined);
  }
}

const done: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });
