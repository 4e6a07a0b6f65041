import { type Endpoint, type FlotillaError, toFlotillaError } from '@flotilla/core';
import { type OperationRequest, type OperationResponse, operationKinds } from '@flotilla/rpc';
import type { Carriage } from './carriage.ts';
import type { Carrier } from './carried-body.ts';
import type { Passage } from './passage.ts';

/**
 * Carries a call of an operation: its input and its answer are bodies of as many bytes as their JSON has, the elements of
 * streams pieces of one.
 */
export function carryCall(
  carriage: Carriage,
  endpoint: Endpoint<OperationRequest, OperationResponse>,
  request: OperationRequest,
): Promise<OperationResponse> {
  const { request: sent, response } = operationKinds[request.operation.info.kind];
  const forth = new Load(carriage, carriage.forth);
  const back = new Load(carriage, carriage.back);
  return carriage.exchange(
    async (inner) => {
      if (sent !== 'many') {
        await forth.carry(request.input);
        return endpoint.handle(request, inner);
      }
      const input = carried(request.input as AsyncIterable<unknown>, forth, () => {});
      return endpoint.handle({ ...request, input }, inner);
    },
    async (answer, inner) => {
      const done = (outcome: FlotillaError | undefined): void => carriage.outer.end(outcome ?? inner.cancelled);
      if (response === 'many') return carried(answer as AsyncIterable<unknown>, back, done);
      await back.carry(answer);
      done(undefined);
      return answer;
    },
  );
}

/** What travels one way within one exchange. */
class Load {
  readonly carrier: Carrier;
  readonly #passage: Passage;
  readonly #resetAfter: number | undefined;
  #bytes = 0;

  constructor(carrier: Carrier, passage: Passage) {
    this.carrier = carrier;
    this.#passage = passage;
    this.#resetAfter = passage.resetAfterBytes();
  }

  async carry(value: unknown): Promise<void> {
    const bytes = bytesOf(value);
    this.#bytes += bytes;
    if (bytes > 0 && this.#resetAfter !== undefined && this.#bytes > this.#resetAfter) {
      throw this.carrier.lost(`the connection was reset after ${this.#resetAfter} bytes of a body`);
    }
    const { bytesPerSecond } = this.#passage;
    if (bytesPerSecond < Infinity) await this.carrier.pause((bytes / bytesPerSecond) * 1_000);
    await this.carrier.passable(this.#passage);
  }
}

/** What is no JSON has no bytes here: whoever really sends it says so. */
function bytesOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '');
  } catch {
    return 0;
  }
}

/** Elements on their way. Leaving them early leaves their source, also when none was asked for yet. */
function carried(
  elements: AsyncIterable<unknown>,
  load: Load,
  done: (outcome: FlotillaError | undefined) => void,
): AsyncIterableIterator<unknown, undefined> {
  const source = elements[Symbol.asyncIterator]();
  let over = false;
  const end = (outcome: FlotillaError | undefined): void => {
    if (!over) done(outcome);
    over = true;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (over) return { done: true, value: undefined };
      try {
        const result = await load.carrier.unlessBroken(source.next());
        if (result.done) {
          end(undefined);
          return { done: true, value: undefined };
        }
        await load.carry(result.value);
        return { done: false, value: result.value };
      } catch (thrown) {
        const error = toFlotillaError(thrown);
        load.carrier.break(error);
        end(error);
        throw error;
      }
    },
    async return() {
      const wasOver = over;
      end(undefined);
      if (!wasOver) void Promise.try(() => source.return?.()).catch(() => {});
      return { done: true, value: undefined };
    },
  };
}
