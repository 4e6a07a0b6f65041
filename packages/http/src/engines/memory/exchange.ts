import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { HttpBody, HttpHandler, HttpRequest, HttpResponse, Upgrade } from '../../exchange.ts';
import { answerNowOf } from '../../prompt.ts';
import { answer, answeredNow } from '../answer.ts';
import { CheckedBody } from '../checked-body.ts';
import { ChunkQueue } from '../chunk-queue.ts';
import { dispose, type Gate, Pump } from '../pump.ts';

/** What one exchange needs of both its ends. */
export interface ExchangeParts {
  /** As the server sees it, without its body. */
  readonly request: Omit<HttpRequest, 'body' | 'upgrade'>;
  /** The client's own body: its chunks are copied on the way. */
  readonly body: HttpBody;
  /** The client's wish to change the protocol: from an answer 101 on, what it sends takes the place of a body. */
  readonly upgrade: Upgrade | undefined;
  readonly handler: HttpHandler;
  readonly clientCall: Call;
  readonly serverCall: Call;
  /** Each chunk and head waits for it. */
  readonly gate: Gate;
}

/**
 * One request on its way to a handler and its answer on the way back, both copied.
 *
 * ```
 *  client body ─ pump ─▶ queue ─▶ handler ─▶ its body ─ pump ─▶ queue ─▶ reader
 *                                   │                                     │
 *                server call ends when the last chunk is queued    client call ends when
 *                                                                  the last chunk is read
 * ```
 */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #head = Promise.withResolvers<HttpResponse>();
  readonly #upload: Upload | undefined;
  #download: ChunkQueue | undefined;
  #responsePump: Pump | undefined;
  readonly #leaveClient: () => void;
  readonly #leaveServer: () => void;
  readonly #endListeners: (() => void)[] = [];
  #serverEnded = false;
  /** Of a tunnel: directions that have not ended, as the server and as the client see it. */
  #openAtServer = 1;
  #openAtClient = 1;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#upload = upload(parts, {
      sent: () => this.#endClientDirection(),
      read: (error) => {
        if (!error) this.#endServerDirection();
      },
      left: () => this.#leftByServer(),
      failed: (thrown) => this.#uploadFailed(thrown),
    });
    this.#leaveClient = parts.clientCall.onCancel((reason) => this.#abandon(reason));
    this.#leaveServer = parts.serverCall.onCancel((reason) => this.#serverCancelled(reason));
  }

  /** Calls `listener` when the server's side is over. */
  onEnd(listener: () => void): void {
    if (this.#serverEnded) listener();
    else this.#endListeners.push(listener);
  }

  /** Runs the handler. Resolves with the head of the answer; its body follows as it is read. */
  run(): Promise<HttpResponse> {
    // What a client sends in another protocol follows the answer that changes to it.
    if (!this.#parts.upgrade) this.#upload?.start();
    void this.#answer();
    return this.#head.promise;
  }

  /** The connection broke: the handler is cancelled with `reason`, the client gets CONNECTION_LOST. */
  lose(why: string, reason: FlotillaError = new FlotillaError('CANCELLED', why)): void {
    const error = new FlotillaError('CONNECTION_LOST', why);
    this.#head.reject(error);
    this.#download?.fail(error);
    if (this.#openAtClient === 1 && this.#download) this.#endClient(error); // of a tunnel whose answer had ended
    this.#stopServer(reason);
  }

  async #answer(): Promise<void> {
    const { handler, serverCall, gate } = this.#parts;
    const request = this.#arriving();
    const prompt = answeredNow(answerNowOf(handler), request, serverCall.clock);
    const response = prompt ?? (await answer(handler, request, serverCall));
    await gate();
    if (this.#serverEnded) dispose(response.body);
    else this.#send(response);
  }

  #arriving(): HttpRequest {
    const { request, upgrade } = this.#parts;
    const queue = this.#upload?.queue;
    if (!upgrade || !queue) return { ...request, body: queue };
    return { ...request, body: undefined, upgrade: { ...upgrade, incoming: queue } };
  }

  #send({ status, headers, body }: HttpResponse): void {
    const { clientCall, gate } = this.#parts;
    if (status === 101) {
      this.#openAtServer = 2;
      this.#openAtClient = 2;
      this.#upload?.start();
    }
    if (body === undefined || (body instanceof Uint8Array && body.length === 0)) {
      this.#head.resolve({ status, headers, body: undefined });
      this.#endServerDirection();
      this.#endClientDirection();
      return;
    }
    const queue = new ChunkQueue({
      roomy: () => this.#responsePump?.resume(),
      left: () => this.#abandon(new FlotillaError('CANCELLED', 'the reader left the answer before its end')),
      done: (error) => (error ? this.#endClient(error) : this.#endClientDirection()),
    });
    this.#download = queue;
    this.#responsePump = new Pump(
      new CheckedBody(body, headers),
      {
        push: (chunk) => queue.push(Uint8Array.from(chunk)),
        end: () => {
          this.#endServerDirection();
          queue.end();
        },
        fail: (thrown) => this.lose('the server broke off its answer', toFlotillaError(thrown)),
      },
      gate,
    );
    this.#head.resolve({ status, headers, body: queue });
    this.#responsePump.start();
    if (clientCall.cancelled) this.#abandon(clientCall.cancelled);
  }

  /** One direction left is the whole tunnel left; before it is one, it is only a body that nobody reads. */
  #leftByServer(): void {
    if (this.#openAtServer === 2) this.lose('the server left the connection');
  }

  #endServerDirection(): void {
    if (--this.#openAtServer === 0) this.#endServer(undefined);
  }

  #endClientDirection(): void {
    if (--this.#openAtClient === 0) this.#endClient(undefined);
  }

  /** The client wants no answer any more. */
  #abandon(reason: FlotillaError): void {
    this.#head.reject(reason);
    this.#download?.abort(reason);
    this.#stopServer(new FlotillaError('CANCELLED', 'the client went away'));
    this.#endClient(reason);
  }

  /** Before the head the answer is a problem, written by {@link #respond}; after it only a break says that it is not whole. */
  #serverCancelled(reason: FlotillaError): void {
    if (this.#download) this.lose('the server gave up its answer', reason);
  }

  #uploadFailed(thrown: unknown): void {
    const error = toFlotillaError(thrown);
    this.#head.reject(error);
    this.#download?.fail(error);
    this.#stopServer(new FlotillaError('CANCELLED', 'the client broke off its request'));
    this.#endClient(error);
  }

  #stopServer(reason: FlotillaError): void {
    if (this.#serverEnded) return;
    this.#endServer(reason);
    this.#responsePump?.stop();
  }

  #endServer(outcome: FlotillaError | undefined): void {
    if (this.#serverEnded) return;
    this.#serverEnded = true;
    this.#leaveServer();
    const { serverCall } = this.#parts;
    if (outcome) serverCall.cancel(outcome);
    this.#upload?.close(outcome ?? new FlotillaError('CANCELLED', 'the answer is complete'));
    serverCall.end(outcome);
    for (const listener of this.#endListeners) listener();
  }

  #endClient(outcome: FlotillaError | undefined): void {
    this.#leaveClient();
    this.#parts.clientCall.end(outcome);
  }
}

/** What becomes of a request body; the first three of a tunnel's only, whose two directions end on their own. */
interface UploadEvents {
  /** The client's last byte is queued. */
  sent(): void;
  /** The server has it, or will get no more. */
  read(error: FlotillaError | undefined): void;
  /** The server wants no more. */
  left(): void;
  failed(thrown: unknown): void;
}

/** A request body on its way: the queue that the handler reads, and what fills it once it is begun. */
interface Upload {
  readonly queue: ChunkQueue;
  start(): void;
  close(reason: FlotillaError): void;
}

function upload(parts: ExchangeParts, events: UploadEvents): Upload | undefined {
  const { upgrade, request, gate } = parts;
  const body = upgrade?.incoming ?? parts.body;
  const tunnel = upgrade !== undefined;
  if (body === undefined || (body instanceof Uint8Array && body.length === 0)) return undefined;
  const queue: ChunkQueue = new ChunkQueue({
    roomy: () => pump.resume(),
    left: () => (tunnel ? events.left() : pump.stop()),
    done: (error) => tunnel && events.read(error),
  });
  const target = {
    push: (chunk: Uint8Array) => queue.push(Uint8Array.from(chunk)),
    end: () => {
      queue.end();
      if (tunnel) events.sent();
    },
    fail: events.failed,
  };
  const pump = new Pump(new CheckedBody(body, request.headers), target, gate);
  let begun = false;
  return {
    queue,
    start() {
      begun = true;
      pump.start();
    },
    close(reason) {
      if (begun) pump.stop(); // else it is still its owner's
      queue.abort(reason);
    },
  };
}
