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
import { leaveBody } from './body-tap.ts';
import { noteUpstreamAttribute, type UpstreamAttempt } from './note-upstream.ts';
import { isLeaving, Leaving, maySendElsewhere } from './try-elsewhere.ts';

/** One address behind the gateway: each request to it names it as its host, is a span of its own, and is noted in its exchange. */
export class UpstreamAddress implements Endpoint<HttpRequest, HttpResponse> {
  readonly #name: string;
  readonly #authority: string;
  readonly #tracer: Tracer;
  readonly #elsewhere: boolean;
  readonly #connection: Endpoint<HttpRequest, HttpResponse>;

  /**
   * @param name of the instance, for the access log
   * @param elsewhere a request that may still go to another instance leaves its call not ended: see {@link maySendElsewhere}
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

  readonly handle = (request: HttpRequest, call: Call): Promise<HttpResponse> => {
    const { idempotencyKey } = call;
    const hop = call.child(idempotencyKey === undefined ? {} : { idempotencyKey });
    const attempt: UpstreamAttempt = { name: this.#name, address: this.#authority, startedAt: hop.startedAt };
    call.get(noteUpstreamAttribute)?.(attempt);
    const span = this.#tracer.start(request.method, 'client', hop);
    span.setAttribute(semanticNames.httpMethod, request.method);
    span.setAttribute(semanticNames.serverAddress, this.#authority);
    // Until the answer is passed on the request may still go elsewhere; one without a body may be over before that.
    let passedOn = !this.#elsewhere;
    hop.onEnd((outcome) => {
      span.end(outcome);
      attempt.endedAt = call.clock.now();
      attempt.outcome = outcome;
      if (passedOn || (outcome && !maySendElsewhere(outcome, call))) call.end(outcome);
    });
    return this.#connection.handle({ ...request, authority: this.#authority }, hop).then(
      (response) => {
        const leaving = !passedOn && isLeaving(response) ? new Leaving(this.#name) : undefined;
        if (leaving && maySendElsewhere(leaving, call)) {
          leaveBody(response.body);
          attempt.outcome = leaving;
          hop.end(leaving);
          throw leaving;
        }
        passedOn = true;
        if (hop.ended) call.end(attempt.outcome);
        return response;
      },
      (thrown) => {
        hop.end(toFlotillaError(thrown));
        throw thrown;
      },
    );
  };

  close(): Promise<void> {
    return this.#connection.close();
  }
}
