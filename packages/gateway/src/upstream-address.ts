import {
  type Call,
  type Endpoint,
  type EndpointStatus,
  formatHostPort,
  type Tracer,
  toFlotillaError,
} from '@flotilla/core';
import type { HttpNetwork, HttpRequest, HttpResponse, HttpTarget } from '@flotilla/http';
import { semanticNames } from '@flotilla/telemetry';
import { noteUpstreamAttribute, type UpstreamAttempt } from './note-upstream.ts';
import { isUnsent } from './try-elsewhere.ts';

/** One address behind the gateway: each request to it names it as its host, is a span of its own, and is noted in its exchange. */
export class UpstreamAddress implements Endpoint<HttpRequest, HttpResponse> {
  readonly #name: string;
  readonly #authority: string;
  readonly #tracer: Tracer;
  readonly #elsewhere: boolean;
  readonly #connection: Endpoint<HttpRequest, HttpResponse>;

  /**
   * @param name of the instance, for the access log
   * @param elsewhere a request for which there was no connection may still go to another instance: its call is not ended
   */
  constructor(target: HttpTarget, name: string, network: HttpNetwork, tracer: Tracer, elsewhere = false) {
    this.#elsewhere = elsewhere;
    this.#name = name;
    this.#authority = formatHostPort(target);
    this.#tracer = tracer;
    this.#connection = network.connect(target);
  }

  get status(): EndpointStatus {
    return this.#connection.status;
  }

  get load(): number {
    return this.#connection.load;
  }

  readonly handle = async (request: HttpRequest, call: Call): Promise<HttpResponse> => {
    const attempt: UpstreamAttempt = { name: this.#name, address: this.#authority, startedAt: call.clock.now() };
    call.get(noteUpstreamAttribute)?.(attempt);
    const { idempotencyKey } = call;
    const hop = call.child(idempotencyKey === undefined ? {} : { idempotencyKey });
    const span = this.#tracer.start(request.method, 'client', hop);
    span.setAttribute(semanticNames.httpMethod, request.method);
    span.setAttribute(semanticNames.serverAddress, this.#authority);
    hop.onEnd((outcome) => {
      span.end(outcome);
      attempt.endedAt = call.clock.now();
      attempt.outcome = outcome;
      if (!this.#elsewhere || !outcome || !isUnsent(outcome.code, outcome.executed)) call.end(outcome);
    });
    try {
      return await this.#connection.handle({ ...request, authority: this.#authority }, hop);
    } catch (thrown) {
      hop.end(toFlotillaError(thrown));
      throw thrown;
    }
  };

  close(): Promise<void> {
    return this.#connection.close();
  }
}
