import assert from 'node:assert/strict';
import { Call, type CallOptions, type Clock, type Endpoint, FlotillaError, type Random } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import type { HttpBody, HttpHandler, HttpRequest, HttpResponse } from '../src/exchange.ts';
import { HttpHeaders } from '../src/headers.ts';
import type { HttpListener, HttpNetwork, HttpTarget } from '../src/network.ts';
import { parsePath } from '../src/path.ts';

/** One engine under test. */
export interface NetworkUnderTest {
  readonly network: HttpNetwork;
  readonly clock: Clock;
  readonly random: Random;
  /** Lets this much time pass: by hand, or not at all where time passes by itself. */
  pass(ms: number): Promise<void>;
  /** What is still open after everything was closed: names of sockets and timers. */
  leftovers(): readonly string[];
}

/** A server and a client that were made for one test. */
export interface Pair {
  readonly listener: HttpListener;
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
  readonly target: HttpTarget;
}

/** What a test works with; everything that it opens is closed behind it. */
export class Fixture {
  readonly under: NetworkUnderTest;
  readonly #pairs: Pair[] = [];

  constructor(under: NetworkUnderTest) {
    this.under = under;
  }

  async serve(handler: HttpHandler): Promise<Pair> {
    const listener = await this.under.network.listen({ host: '127.0.0.1', port: 0 }, handler);
    const target: HttpTarget = { protocol: 'http', host: '127.0.0.1', port: listener.port };
    const pair = { listener, target, endpoint: this.under.network.connect(target) };
    this.#pairs.push(pair);
    return pair;
  }

  /** A new call of a client. */
  call(options: Partial<CallOptions> = {}): Call {
    return new Call({ clock: this.under.clock, random: this.under.random, ...options });
  }

  /** After a failure: closes what it can, so that the next test begins with nothing. */
  abandon(): void {
    for (const { endpoint, listener } of this.#pairs) {
      void listener.drain(0);
      void endpoint.close();
    }
  }

  /** Closes all and fails if a call, connection or timer is left. */
  async close(): Promise<void> {
    for (const { endpoint, listener } of this.#pairs) {
      await untilStill(() => endpoint.load);
      assert.equal(endpoint.load, 0, 'calls that never ended');
      await endpoint.close();
      await listener.drain(1_000);
      assert.equal(listener.connections, 0);
    }
    await untilStill(() => this.under.leftovers().length);
    assert.deepEqual(this.under.leftovers(), []);
  }
}

export interface RequestParts {
  readonly body?: HttpBody | string;
  readonly headers?: Iterable<readonly [string, string]>;
  readonly query?: string;
  readonly authority?: string;
}

export function request(method: string, path: string, parts: RequestParts = {}): HttpRequest {
  return {
    method,
    authority: parts.authority ?? 'shop.example',
    path: parsePath(path),
    query: parts.query ?? '',
    headers: new HttpHeaders(parts.headers),
    body: typeof parts.body === 'string' ? Buffer.from(parts.body) : parts.body,
  };
}

export function response(status: number, body?: HttpBody | string, headers: [string, string][] = []): HttpResponse {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { status, headers: new HttpHeaders(headers), body: bytes };
}

export async function* stream(pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

export async function bytes(body: HttpBody): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function text(body: HttpBody): Promise<string> {
  return (await bytes(body)).toString();
}

/** Opens a streamed body to be read piece by piece. */
export function pieces(body: HttpBody): AsyncIterator<Uint8Array> {
  assert.ok(body !== undefined && !(body instanceof Uint8Array), 'a streamed body');
  return body[Symbol.asyncIterator]();
}

export async function nextText(chunks: AsyncIterator<Uint8Array>): Promise<string | undefined> {
  const { done, value } = await chunks.next();
  return done ? undefined : Buffer.from(value).toString();
}

/** A body that gives what the test sends, when it sends it, and says when its reader left. */
export class Tap {
  readonly left: Promise<void>;
  readonly body: AsyncIterable<Uint8Array>;
  #leave: () => void;
  readonly #queue: (string | Error | undefined)[] = [];
  #wake: (() => void) | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.left = promise;
    this.#leave = resolve;
    const next = () => this.#next();
    this.body = {
      [Symbol.asyncIterator]: () => ({
        next,
        return: async () => {
          this.#leave();
          return { done: true, value: undefined };
        },
      }),
    };
  }

  send(piece: string): void {
    this.#put(piece);
  }

  end(): void {
    this.#put(undefined);
  }

  fail(error: Error): void {
    this.#put(error);
  }

  #put(item: string | Error | undefined): void {
    this.#queue.push(item);
    this.#wake?.();
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#queue.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const item = this.#queue.shift();
    if (item instanceof Error) throw item;
    return item === undefined ? { done: true, value: undefined } : { done: false, value: Buffer.from(item) };
  }
}

/** A body much larger than any buffer, which counts how much of it was asked for. */
export class Supply {
  readonly chunks = 512;
  readonly chunkBytes = 65_536;
  produced = 0;

  get totalBytes(): number {
    return this.chunks * this.chunkBytes;
  }

  async *body(): AsyncGenerator<Uint8Array> {
    const chunk = Buffer.alloc(this.chunkBytes, 'x');
    while (this.produced < this.chunks) {
      this.produced++;
      yield chunk;
    }
  }
}

/** Bytes that differ from place to place. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
}

/** A handler that never answers by itself. */
export function untilCancelled(call: Call): Promise<never> {
  return new Promise((_, reject) => {
    call.onCancel(reject);
  });
}

export function hasCode(code: string, executed?: string): (thrown: unknown) => true {
  return (thrown) => {
    assert.ok(thrown instanceof FlotillaError, `a FlotillaError, got ${String(thrown)}`);
    assert.equal(thrown.code, code, thrown.stack);
    if (executed !== undefined) assert.equal(thrown.executed, executed);
    return true;
  };
}

/** Waits until a number has not changed for many turns of the event loop. */
export async function untilStill(read: () => number): Promise<void> {
  for (let still = 0, last = read(); still < 20; ) {
    await settle();
    const now = read();
    still = now === last ? still + 1 : 0;
    last = now;
  }
}
