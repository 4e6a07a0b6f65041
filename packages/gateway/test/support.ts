import assert from 'node:assert/strict';
import {
  Call,
  type CallOptions,
  type Clock,
  type Endpoint,
  type Instance,
  type InstanceSet,
  identity,
  type LogFields,
  type Logger,
  type Random,
  type Resolver,
  type Target,
  type Watch,
} from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import {
  type HttpBody,
  type HttpHandler,
  HttpHeaders,
  type HttpListener,
  type HttpNetwork,
  type HttpRequest,
  type HttpResponse,
  parsePath,
} from '@flotilla/http';
import { checkRoutes, createGateway, type Gateway, type GatewayOptions } from '../src/index.ts';

/** One engine under test, twice: a network that strangers reach and one inside. */
export interface EngineUnderTest {
  readonly outside: HttpNetwork;
  readonly inside: HttpNetwork;
  readonly clock: Clock;
  readonly random: Random;
  /** Lets this much time pass: by hand, or not at all where time passes by itself. */
  pass(ms: number): Promise<void>;
}

/** A working resolver in memory: what a registry's client gives, set by hand. */
export class MemoryResolver implements Resolver {
  readonly #sets = new Map<string, InstanceSet>();
  readonly #watchers = new Set<{ key: string; update: (set: InstanceSet) => void }>();

  get watches(): number {
    return this.#watchers.size;
  }

  set(target: Target, instances: readonly Instance[]): void {
    const key = JSON.stringify(target);
    const set = { instances, warming: false };
    this.#sets.set(key, set);
    for (const watcher of this.#watchers) if (watcher.key === key) watcher.update(set);
  }

  watch(target: Target, update: (set: InstanceSet) => void): Watch {
    const watcher = { key: JSON.stringify(target), update };
    this.#watchers.add(watcher);
    const known = this.#sets.get(watcher.key);
    if (known) update(known);
    return { close: () => this.#watchers.delete(watcher) };
  }
}

/** An upstream that is listening. */
export interface Served {
  readonly listener: HttpListener;
  /** For `to`. */
  readonly url: string;
  instance(id: string, service?: string): Instance;
}

export interface RequestParts {
  readonly body?: HttpBody | string;
  readonly headers?: Iterable<readonly [string, string]>;
  readonly query?: string;
  readonly authority?: string;
  readonly call?: Partial<CallOptions>;
}

/** One gateway with a client outside and upstreams inside; everything that it opens is closed behind it. */
export class World {
  readonly engine: EngineUnderTest;
  readonly resolver = new MemoryResolver();
  readonly lines: { level: string; message: string; fields: LogFields }[] = [];
  readonly #options: Partial<GatewayOptions>;
  readonly #served: HttpListener[] = [];
  #gateway: Gateway | undefined;
  #listener: HttpListener | undefined;
  #client: Endpoint<HttpRequest, HttpResponse> | undefined;

  constructor(engine: EngineUnderTest, options: Partial<GatewayOptions> = {}) {
    this.engine = engine;
    this.#options = options;
  }

  get gateway(): Gateway {
    assert(this.#gateway, 'open() comes first');
    return this.#gateway;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  async serve(handler: HttpHandler): Promise<Served> {
    const listener = await this.engine.inside.listen({ host: '127.0.0.1', port: 0 }, handler);
    this.#served.push(listener);
    const { port } = listener;
    const instance = (id: string, service = 'web'): Instance => instanceAt(id, service, port);
    return { listener, url: `http://127.0.0.1:${port}`, instance };
  }

  /** Routes as they stand in a document; `auth: public` unless a route says otherwise. */
  async open(...routes: readonly object[]): Promise<void> {
    await this.openDocument({ routes });
  }

  async openDocument(document: { routes: readonly object[] }): Promise<void> {
    const { inside, outside, clock, random } = this.engine;
    const logger = recordingLogger(this.lines);
    const gateway = createGateway({
      network: inside,
      resolver: this.resolver,
      clock,
      random,
      logger,
      ...this.#options,
    });
    this.#gateway = gateway;
    this.apply(document);
    this.#listener = await outside.listen({ host: '127.0.0.1', port: 0 }, gateway.handler);
    this.#client = outside.connect({ protocol: 'http', host: '127.0.0.1', port: this.#listener.port });
  }

  apply(document: { routes: readonly object[] }): void {
    const routes = document.routes.map((route) => ({ auth: 'public', ...route }));
    this.gateway.apply(checkRoutes({ ...document, routes }));
  }

  call(options: Partial<CallOptions> = {}): Call {
    return new Call({ clock: this.engine.clock, random: this.engine.random, ...options });
  }

  /** Sends a request from outside. */
  send(method: string, path: string, parts: RequestParts = {}): { call: Call; response: Promise<HttpResponse> } {
    assert(this.#client, 'open() comes first');
    const call = this.call(parts.call);
    const request: HttpRequest = {
      method,
      authority: parts.authority ?? 'shop.example',
      path: parsePath(path, { encodedSlash: 'keep' }),
      query: parts.query ?? '',
      headers: new HttpHeaders(parts.headers),
      body: typeof parts.body === 'string' ? Buffer.from(parts.body) : parts.body,
    };
    return { call, response: this.#client.handle(request, call) };
  }

  /** Asks for a WebSocket from outside. */
  socket(
    path: string,
    incoming: AsyncIterable<Uint8Array>,
    headers: Iterable<readonly [string, string]> = [],
  ): Promise<HttpResponse> {
    assert(this.#client, 'open() comes first');
    const request: HttpRequest = {
      method: 'GET',
      authority: 'shop.example',
      path: parsePath(path),
      query: '',
      headers: new HttpHeaders([
        ['sec-websocket-version', '13'],
        ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
        ...headers,
      ]),
      body: undefined,
      upgrade: { protocol: 'websocket', incoming },
    };
    return this.#client.handle(request, this.call());
  }

  async ask(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
    return whole(this.send(method, path, parts).response);
  }

  /** Closes all; fails when a request, an upstream or a connection is left. */
  async close(): Promise<void> {
    await until(() => this.gateway.inFlight === 0, 'requests that never ended');
    await this.#client?.close();
    await this.gateway.close();
    assert.deepEqual(this.gateway.upstreams(), []);
    assert.equal(this.resolver.watches, 0);
    await this.#listener?.drain(1_000);
    for (const listener of this.#served) await listener.drain(1_000);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly text: string;
}

/** An answer with all of its body. */
export async function whole(response: Promise<HttpResponse>): Promise<Answer> {
  const { status, headers, body } = await response;
  return { status, headers, text: await text(body) };
}

/** An upstream that takes WebSockets and keeps what it was given. */
export class SocketServer {
  readonly asked: HttpRequest[] = [];
  readonly taps: Tap[] = [];

  readonly handler: HttpHandler = async (request) => {
    if (!request.upgrade) return answer(200, 'no socket');
    this.asked.push(request);
    const tap = new Tap();
    this.taps.push(tap);
    return answer(101, tap);
  };

  /** What the client of the last socket sends. */
  get received(): AsyncIterator<Uint8Array> {
    return streamed(this.asked.at(-1)?.upgrade?.incoming);
  }

  get tap(): Tap {
    const tap = this.taps.at(-1);
    assert(tap, 'no socket was opened');
    return tap;
  }
}

export function instanceAt(id: string, service: string, port: number): Instance {
  return {
    id,
    identity: identity(service),
    incarnation: 1,
    addresses: [{ protocol: 'http', host: '127.0.0.1', port }],
    contracts: [],
    status: 'up',
    weight: 1,
    revision: 1,
    metadata: {},
    bags: {},
  };
}

export function answer(status: number, body?: HttpBody | string, headers: [string, string][] = []): HttpResponse {
  return { status, headers: new HttpHeaders(headers), body: typeof body === 'string' ? Buffer.from(body) : body };
}

/** An upstream that says what it got. */
export const echo: HttpHandler = async ({ method, authority, path, query, headers, body }) => {
  const seen: Seen = { method, authority, path: path.text, query, headers: [...headers], body: await text(body) };
  return answer(200, JSON.stringify(seen), [['content-type', 'application/json']]);
};

export interface Seen {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

export function seenIn({ text: body }: Answer): Seen {
  return JSON.parse(body) as Seen;
}

export function fieldsOf({ headers }: Seen, name: string): readonly string[] {
  return headers.filter(([known]) => known === name).map(([, value]) => value);
}

export async function text(body: HttpBody): Promise<string> {
  if (body === undefined) return '';
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export function streamed(body: HttpBody): AsyncIterator<Uint8Array> {
  assert(body !== undefined && !(body instanceof Uint8Array), 'a streamed body');
  return body[Symbol.asyncIterator]();
}

export async function nextText(chunks: AsyncIterator<Uint8Array>): Promise<string | undefined> {
  const { done, value } = await chunks.next();
  return done ? undefined : Buffer.from(value).toString();
}

/** A body that gives what the test sends, when it sends it, and says when its reader left. */
export class Tap implements AsyncIterable<Uint8Array> {
  readonly #left = Promise.withResolvers<void>();
  readonly #queue: (string | Uint8Array | Error | undefined)[] = [];
  #wake: (() => void) | undefined;

  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** A text, or bytes, are a chunk, an error breaks the body off, nothing ends it. */
  put(item?: string | Uint8Array | Error): this {
    this.#queue.push(item);
    this.#wake?.();
    return this;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.#left.resolve();
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
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

/** Waits for something that is on its way, turn by turn of the event loop. */
export async function until(reached: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) {
    if (reached()) return;
    await settle();
  }
  assert.fail(what);
}

export function hasCode(code: string): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.equal((thrown as { code?: unknown }).code, code);
    return true;
  };
}

function recordingLogger(lines: { level: string; message: string; fields: LogFields }[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields });
    };
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}
