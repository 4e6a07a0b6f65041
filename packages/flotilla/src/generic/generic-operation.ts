import { type Call, FlotillaError } from '@flotilla/core';
import {
  type AnyContract,
  type AnyOperation,
  type CallTerms,
  type Client,
  describeContracts,
  type HttpMapping,
  type OperationDescription,
  operationKinds,
  validateInput,
} from '@flotilla/rpc';

type Method = (input: unknown, call?: Call, terms?: CallTerms) => unknown;

/** An operation that was found by its name, ready to be called with JSON. */
export class GenericOperation {
  /** `catalog.product` */
  readonly name: string;
  readonly #contract: AnyContract;
  readonly #operation: AnyOperation;
  readonly #mapping: HttpMapping;
  readonly #method: Method;

  constructor(contract: AnyContract, operation: string, client: Client<AnyContract>) {
    this.name = `${contract.name}.${operation}`;
    this.#contract = contract;
    this.#operation = contract.operations[operation] as AnyOperation;
    this.#mapping = contract.http.get(operation) as HttpMapping;
    this.#method = client[operation] as Method;
  }

  /** What its service says of it. */
  get description(): OperationDescription {
    const [described] = describeContracts([this.#contract]);
    const own = this.#contract.operations;
    return described?.operations.find(({ name }) => own[name] === this.#operation) as OperationDescription;
  }

  /** Whether many elements are sent: the input is an iterable. */
  get sendsMany(): boolean {
    return operationKinds[this.#operation.kind].request === 'many';
  }

  /** Whether many elements come back: call it by {@link stream}. */
  get answersMany(): boolean {
    return operationKinds[this.#operation.kind].response === 'many';
  }

  /** The answer. @throws FlotillaError INVALID_INPUT naming the field, `executed` no; whatever a typed client rejects with */
  async call(input?: unknown, call?: Call, terms?: CallTerms): Promise<unknown> {
    if (this.answersMany) throw this.#misused('answers many elements: read them by stream()');
    return this.#method(await this.#checked(input), call, terms);
  }

  /** The elements as they come. Leaving the loop cancels. @throws FlotillaError as {@link call} does */
  async *stream(input?: unknown, call?: Call, terms?: CallTerms): AsyncGenerator<unknown, undefined> {
    if (!this.answersMany) throw this.#misused('answers once: use call()');
    yield* this.#method(await this.#checked(input), call, terms) as AsyncIterable<unknown>;
  }

  async #checked(input: unknown): Promise<unknown> {
    if (!this.sendsMany) {
      await validateInput(this.name, this.#operation, this.#mapping, input);
      return input;
    }
    if (isIterable(input)) return this.#checkedElements(input);
    throw this.#misused('takes many elements: give it an iterable of them');
  }

  async *#checkedElements(input: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<unknown, undefined> {
    let index = 0;
    for await (const element of input) {
      await validateInput(`element ${index} of ${this.name}`, this.#operation, this.#mapping, element);
      index++;
      yield element;
    }
  }

  #misused(how: string): FlotillaError {
    return new FlotillaError('INVALID_INPUT', `${this.name} ${how}`, { executed: 'no' });
  }
}

function isIterable(input: unknown): input is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof input === 'object' && input !== null && (Symbol.asyncIterator in input || Symbol.iterator in input);
}
