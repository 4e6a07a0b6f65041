import { type Call, type Endpoint, FlotillaError, type Handler, sleep, toFlotillaError } from '@flotilla/core';
import type { OperationRequest, OperationResponse, RpcTransport } from '@flotilla/rpc';
import type { Question, SimulatedFleet } from './fleet.ts';

/** Calls that reach instances as values: as a transport does, without bytes. */
export function rimTransport(fleet: SimulatedFleet): RpcTransport {
  return {
    protocols: ['rsocket'],
    connect: ({ address }) => new RimEndpoint(fleet, address.port),
  };
}

class RimEndpoint implements Endpoint<OperationRequest, OperationResponse> {
  readonly #fleet: SimulatedFleet;
  readonly #number: number;
  #closed = false;
  load = 0;

  constructor(fleet: SimulatedFleet, number: number) {
    this.#fleet = fleet;
    this.#number = number;
  }

  get status(): 'open' | 'closed' {
    return this.#closed ? 'closed' : 'open';
  }

  readonly handle: Handler<OperationRequest, OperationResponse> = async ({ input }, call) => {
    this.load += 1;
    try {
      const answer = await this.#ask(input as Question, call);
      call.end();
      return answer;
    } catch (thrown) {
      call.end(toFlotillaError(thrown));
      throw thrown;
    } finally {
      this.load -= 1;
    }
  };

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #ask(question: Question, call: Call): Promise<Question> {
    const process = this.#fleet.listening(this.#number);
    if (!process) {
      await sleep(0.2, call);
      throw new FlotillaError('CONNECT_FAILED', `nobody listens at ${this.#number}`, { executed: 'no' });
    }
    const served = call.child();
    process.inHand.add(served);
    try {
      return await this.#fleet.answer(this.#number, question, served);
    } finally {
      process.inHand.delete(served);
      served.end();
    }
  }
}
