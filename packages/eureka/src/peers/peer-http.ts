import { Call, type Clock, type Endpoint, FlotillaError, type Random } from '@flotilla/core';
import {
  errorFromResponse,
  HttpHeaders,
  type HttpNetwork,
  type HttpRequest,
  type HttpResponse,
  parseJson,
  pathFromSegments,
  readBody,
} from '@flotilla/http';
import type { PeerAddress } from './peer-address.ts';

/** Names the registry that sends or answers among ours: its epoch. Java servers pass over it. */
export const nodeHeader = 'flotilla-registry';

/** A list of 100,000 instances fits. */
const maxListBytes = 268_435_456;
const maxAnswerBytes = 16_777_216;
const utf8 = new TextEncoder();

/** What a peer answered. */
export interface PeerAnswer {
  readonly status: number;
  readonly json: unknown;
  /** Its name, if it is one of ours. */
  readonly node: string | undefined;
}

/** What is asked of a peer. */
export interface PeerRequest {
  readonly method: 'GET' | 'POST';
  /** After the prefix; an empty one at the end gives a slash at the end. */
  readonly segments: readonly string[];
  readonly query?: string;
  readonly json?: unknown;
  /** A whole list, which may be long. */
  readonly list?: boolean;
}

/** Asks one peer, with a time limit for each request. */
export class PeerHttp {
  readonly #address: PeerAddress;
  readonly #node: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timeoutMs: number;
  readonly #endpoint: Endpoint<HttpRequest, HttpResponse>;

  constructor(
    address: PeerAddress,
    needs: {
      readonly network: HttpNetwork;
      readonly clock: Clock;
      readonly random: Random;
      readonly requestTimeoutMs: number;
      readonly node: string;
    },
  ) {
    this.#address = address;
    this.#node = needs.node;
    this.#clock = needs.clock;
    this.#random = needs.random;
    this.#timeoutMs = needs.requestTimeoutMs;
    this.#endpoint = needs.network.connect(address.target);
  }

  /**
   * Any answer below 400, and 404.
   * @throws FlotillaError what the answer says, BAD_RESPONSE for one without JSON, or why there was none
   */
  async send(request: PeerRequest): Promise<PeerAnswer> {
    const { clock, random } = { clock: this.#clock, random: this.#random };
    const call = new Call({ clock, random, deadline: clock.now() + this.#timeoutMs });
    try {
      const response = await this.#endpoint.handle(this.#toHttp(request), call);
      const body = await readBody(response.body, request.list ? maxListBytes : maxAnswerBytes, call);
      const node = response.headers.get(nodeHeader);
      if (response.status === 404) return { status: 404, json: undefined, node };
      if (response.status >= 300) throw errorFromResponse(response, body);
      return { status: response.status, json: readJson(body, request.list === true), node };
    } finally {
      call.end();
    }
  }

  close(): Promise<void> {
    return this.#endpoint.close();
  }

  #toHttp({ method, segments, query = '', json }: PeerRequest): HttpRequest {
    const { prefix, authority, authorization } = this.#address;
    const headers = new HttpHeaders([
      ['accept', 'application/json'],
      ['discoveryidentity-name', 'DefaultServer'], // what a Java server's rate limiter lets through
      ['discoveryidentity-version', '1.0'],
      [nodeHeader, this.#node],
    ]);
    if (authorization) headers.set('authorization', authorization.reveal());
    if (json !== undefined) headers.set('content-type', 'application/json');
    return {
      method,
      authority,
      path: pathFromSegments([...prefix, ...segments]),
      query,
      headers,
      body: json === undefined ? undefined : utf8.encode(JSON.stringify(json)),
    };
  }
}

/** A list comes from a peer that configuration names, and has more values than what strangers may send. */
function readJson(body: Uint8Array, list: boolean): unknown {
  try {
    return list ? JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()) : parseJson(body);
  } catch (cause) {
    throw new FlotillaError('BAD_RESPONSE', 'the peer answered something that is not JSON', { cause });
  }
}
