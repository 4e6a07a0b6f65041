import assert from 'node:assert/strict';
import {
  type Baggage,
  Call,
  type Endpoint,
  type LogFields,
  type Logger,
  type LogLevel,
  nullLogger,
  type Random,
} from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import {
  HttpHeaders,
  type HttpListener,
  type HttpRequest,
  type HttpResponse,
  parsePath,
  readBody,
} from '@flotilla/http';
import { type MemoryNetwork, memoryNetwork } from '@flotilla/http/memory';
import {
  type AnyContract,
  type Binding,
  type Client,
  type ClientOptions,
  type ContractHandlerOptions,
  contractHandler,
  createClient,
  type HttpCallsOptions,
  httpCalls,
} from '../src/index.ts';

/** One line that was logged. */
export interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly text: string;
  /** Of its text; undefined when it is empty. */
  readonly json: unknown;
}

/** What a test asks for by hand, as `curl` would. */
export interface Ask {
  readonly method?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it is; anything else as JSON. */
  readonly body?: unknown;
  /** How long the caller waits, and says that it does. */
  readonly timeoutMs?: number;
  readonly baggage?: Baggage | undefined;
}

/** Contracts served at `services:80` in memory, with a clock that the test moves. */
export class Fleet {
  readonly clock: ManualClock = new ManualClock();
  readonly random: Random = seededRandom(3);
  readonly network: MemoryNetwork = memoryNetwork({ clock: this.clock, random: this.random });
  /** Without those of level debug, which a process writes only when it is asked to. */
  readonly lines: Line[] = [];
  readonly endpoint: Endpoint<HttpRequest, HttpResponse> = this.network.connect({
    protocol: 'http',
    host: 'services',
    port: 80,
  });
  #listener: HttpListener | undefined;

  async serve(bindings: readonly Binding[], options: ContractHandlerOptions = {}): Promise<void> {
    const handler = contractHandler(bindings, { logger: this.#logger(), ...options });
    this.#listener = await this.network.listen({ host: 'services', port: 80 }, handler);
  }

  client<C extends AnyContract>(
    contract: C,
    { maxResponseBytes, ...options }: Partial<ClientOptions & HttpCallsOptions> = {},
  ): Client<C> {
    const { clock, random } = this;
    const limits = maxResponseBytes === undefined ? undefined : { maxResponseBytes };
    const calls = httpCalls(this.endpoint, { authority: 'services', random, ...limits });
    return createClient(contract, calls, { clock, random, ...options });
  }

  call(timeoutMs = Infinity, baggage?: Baggage): Call {
    const { clock, random } = this;
    return new Call({ clock, random, deadline: clock.now() + timeoutMs, baggage });
  }

  async send(path: string, ask: Ask = {}, call: Call = this.call()): Promise<HttpResponse> {
    const { method = ask.body === undefined ? 'GET' : 'POST', query = '', body } = ask;
    const headers = new HttpHeaders(Object.entries(ask.headers ?? {}));
    if (body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const bytes = text === undefined ? undefined : new TextEncoder().encode(text);
    return this.endpoint.handle(
      { method, authority: 'services', path: parsePath(path), query, headers, body: bytes },
      call,
    );
  }

  async ask(path: string, ask: Ask = {}): Promise<Answer> {
    const call = this.call(ask.timeoutMs, ask.baggage);
    const { status, headers, body } = await this.send(path, ask, call);
    const text = new TextDecoder().decode(await readBody(body, 10_000_000, call));
    const json =
      text !== '' && /[/+]json$/.test(headers.get('content-type') ?? '') ? (JSON.parse(text) as unknown) : undefined;
    return { status, headers, text, json };
  }

  /** Fails when a request is still in hand, or a timer besides that of the deadlines. */
  assertIdle(): void {
    assert.equal(this.#listener?.inFlight ?? 0, 0, 'requests in hand');
    assert.equal(this.endpoint.load, 0, 'calls in flight');
    assert.ok(this.clock.pendingTimers <= 1, `${this.clock.pendingTimers} timers are pending`);
  }

  #logger(): Logger {
    const write =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void =>
        void this.lines.push({ level, message, fields });
    const logger: Logger = {
      ...nullLogger,
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: () => logger,
    };
    return logger;
  }
}

/** Members of a problem document that tests look at. */
export function problemOf(answer: Answer): {
  status: number;
  code: string;
  detail: string;
  data?: unknown;
  executed: string;
} {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json', answer.text);
  return answer.json as { status: number; code: string; detail: string; data?: unknown; executed: string };
}
