/**
 * The RSocket engine and nothing above it: JSON both ways on one connection, no contract, no validation, no deadline. What
 * it costs more than the reference is the price of the protocol.
 */
import { Call, systemClock, systemRandom } from '@flotilla/core';
import { nodeNetwork } from '@flotilla/http/node';
import { type PayloadView, type RSocketReceiver, type RSocketResponder, routingEntry } from '@flotilla/rpc/rsocket';
import { RSocketClient, rsocketTongue } from '@flotilla/rpc/rsocket/node';
import { type CallSubject, largeBytes, type Product, productOf } from './subject.ts';

const clock = systemClock;
const random = systemRandom;
const route = routingEntry('catalog.product');
/** Asked for by a request without data: bytes as they are, which nobody writes or parses. */
const raw = Buffer.alloc(largeBytes, 'x');

/** Waits for one answer. */
class Answer implements RSocketReceiver {
  readonly #resolve: (product: Product) => void;
  readonly #reject: (error: Error) => void;
  #product: Product | undefined;

  constructor(resolve: (product: Product) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  next(payload: PayloadView): void {
    this.#product = JSON.parse(payload.dataText()) as Product;
  }

  complete(): void {
    if (this.#product) this.#resolve(this.#product);
    else this.#reject(new Error('the answer is empty'));
  }

  error(code: number, text: string): void {
    this.#reject(new Error(`RSocket error 0x${code.toString(16)}: ${text}`));
  }

  failed(error: Error): void {
    this.#reject(error);
  }
}

/** Counts the bytes of one answer. */
class RawAnswer implements RSocketReceiver {
  readonly #resolve: (bytes: number) => void;
  readonly #reject: (error: Error) => void;
  #bytes = 0;

  constructor(resolve: (bytes: number) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  next(payload: PayloadView): void {
    this.#bytes += payload.dataLength;
  }

  complete(): void {
    this.#resolve(this.#bytes);
  }

  error(code: number, text: string): void {
    this.#reject(new Error(`RSocket error 0x${code.toString(16)}: ${text}`));
  }

  failed(error: Error): void {
    this.#reject(error);
  }
}

export const subject: CallSubject = {
  async serve() {
    let handled = 0;
    const responder: RSocketResponder = {
      requestResponse(request, stream) {
        if (request.dataLength === 0) {
          stream.respond(raw);
          return;
        }
        const { id } = JSON.parse(request.dataText()) as { readonly id: string };
        handled++;
        stream.respond(JSON.stringify(productOf(id)));
      },
    };
    const tongue = rsocketTongue({ clock, serve: () => ({ responder }) });
    const network = nodeNetwork({ clock, random, tongues: () => [tongue] });
    const listener = await network.listen({ host: '127.0.0.1', port: 0 }, () => Promise.reject(new Error('no HTTP')));
    return { port: listener.port, handled: () => handled };
  },
  async connect([port = 0]) {
    const client = new RSocketClient({ protocol: 'http', host: '127.0.0.1', port }, { clock, random });
    const connection = await client.connect(new Call({ clock, random }));
    return {
      call: (id, quantity) =>
        new Promise<Product>((resolve, reject) => {
          connection.requestResponse(route, JSON.stringify({ id, quantity }), new Answer(resolve, reject));
        }),
      large: () =>
        new Promise<number>((resolve, reject) => {
          connection.requestResponse(route, undefined, new RawAnswer(resolve, reject));
        }),
    };
  },
};
