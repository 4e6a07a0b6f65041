import {
  type Call,
  type Clock,
  type DeadlineEntry,
  FlotillaError,
  formatHostPort,
  type Logger,
  nullLogger,
  type Random,
  type Store,
  type StoreChange,
  type StoreCount,
  type StoreStep,
  type StoreSwap,
  systemClock,
  systemRandom,
  wheelOf,
} from '@flotilla/core';
import { checkChange, checkKey, checkStep, checkTtl, checkValue, type StoreLimits, storeLimits } from '../../limits.ts';
import { createOwnedClient, type OwnedClient, type RedisClient } from './client.ts';
import { type RedisLog, redisLog } from './log.ts';
import { compareAndSetScript, incrementScript, type RedisScript } from './scripts.ts';

/** How a store in Redis is reached. */
export interface RedisStoreOptions {
  /** `redis://user:password@host:6379/0`, or `rediss:` for TLS. Wanted unless there is a `client`. */
  readonly url?: string;
  /** A client that somebody else connects and closes, instead of a `url`. */
  readonly client?: RedisClient;
  /** Stands before every key, so that several fleets may share one Redis. Default `flotilla:`. */
  readonly prefix?: string;
  /** Milliseconds that one command may take. Default 500: it stands in the way of somebody's call. */
  readonly timeoutMs?: number;
  /** Of one value, in bytes of UTF-8. Default 1,048,576. */
  readonly maxValueBytes?: number;
  /** For TLS, as Node has them: `ca`, `cert`, `key`, `servername`. */
  readonly tls?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** The default of each number and text of {@link RedisStoreOptions}. */
export const redisStoreDefaults: Readonly<Required<Pick<RedisStoreOptions, 'prefix' | 'timeoutMs' | 'maxValueBytes'>>> =
  Object.freeze({
    prefix: 'flotilla:',
    timeoutMs: 500, // a hundred times what a Redis nearby takes
    maxValueBytes: storeLimits.maxValueBytes,
  });

/** A store in Redis. */
export interface RedisStore extends Store {
  /**
   * Begins to connect, and goes on trying until {@link Store.close}. Resolves when connected, or after `timeoutMs` without:
   * a store that is away keeps nobody from starting.
   * @throws FlotillaError PACKAGE_MISSING
   */
  start(): Promise<void>;
  /** True while commands can be sent. */
  readonly connected: boolean;
}

/**
 * A store in Redis, 6.2 or newer, shared by all that reach it with one prefix.
 *
 * 1. `start()` connects. Lost connections are made again after 25 ms to 2 s, with jitter; a server that is silent for 5 s
 *    counts as lost.
 * 2. While there is no connection, every command is refused at once: UNAVAILABLE, `executed: 'no'`. Nothing is queued.
 * 3. A command without an answer within `timeoutMs`, or whose connection broke, is UNAVAILABLE with `executed: 'unknown'`.
 * 4. `close()` gives the connection up; commands in hand fail.
 *
 * @throws RangeError for an option that cannot be used
 */
export function createRedisStore(options: RedisStoreOptions): RedisStore {
  return new Redis(options);
}

class Redis implements RedisStore {
  readonly name: string;
  readonly maxValueBytes: number;
  readonly #options: RedisStoreOptions;
  readonly #limits: StoreLimits;
  readonly #clock: Clock;
  readonly #log: RedisLog;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  #client: RedisClient | undefined;
  #owned: OwnedClient | undefined;
  #starting: Promise<void> | undefined;
  #isClosed = false;
  #isAway = false;

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#prefix = options.prefix ?? redisStoreDefaults.prefix;
    this.#timeoutMs = options.timeoutMs ?? redisStoreDefaults.timeoutMs;
    this.maxValueBytes = options.maxValueBytes ?? redisStoreDefaults.maxValueBytes;
    this.#limits = { ...storeLimits, maxValueBytes: this.maxValueBytes };
    this.#client = options.client;
    this.name = options.client ? 'redis' : `redis at ${placeOf(options.url)}`;
    this.#log = redisLog(options.logger ?? nullLogger, this.name);
    if (!(this.#timeoutMs > 0)) throw new RangeError(`timeoutMs must be greater than 0, got ${this.#timeoutMs}`);
    if (!(this.maxValueBytes > 0))
      throw new RangeError(`maxValueBytes must be greater than 0, got ${this.maxValueBytes}`);
  }

  get connected(): boolean {
    return this.#client?.isReady ?? false;
  }

  start(): Promise<void> {
    this.#starting ??= this.#options.client ? Promise.resolve() : this.#connect();
    return this.#starting;
  }

  async #connect(): Promise<void> {
    const { url = '', tls, random = systemRandom } = this.#options;
    const client = await createOwnedClient({ url, tls, timeoutMs: this.#timeoutMs, random });
    if (this.#isClosed) return;
    this.#owned = client;
    this.#client = client;
    client.on('error', (error) => this.#lost(error));
    client.on('ready', () => this.#found());
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(this.#timeoutMs, resolve);
      const settled = (): void => {
        timer.cancel();
        resolve();
      };
      client.connect().then(settled, settled); // its failure is an event as well
    });
  }

  /** Said once, not at every try. */
  #lost(error: Error): void {
    if (this.#isAway || this.#isClosed) return;
    this.#isAway = true;
    this.#log.away(error);
  }

  #found(): void {
    if (this.#isAway) this.#log.back();
    this.#isAway = false;
  }

  get(key: string, call?: Call): Promise<string | undefined> {
    checkKey(key, this.#limits);
    return this.#send(['GET', this.#valueKey(key)], call).then(textOf);
  }

  put(key: string, value: string, ttlMs: number, call?: Call): Promise<void> {
    checkKey(key, this.#limits);
    checkValue(key, value, this.#limits);
    checkTtl(ttlMs, this.#limits);
    return this.#send(['SET', this.#valueKey(key), value, 'PX', millis(ttlMs)], call).then(nothing);
  }

  compareAndSet(key: string, change: StoreChange, call?: Call): Promise<StoreSwap> {
    checkChange(key, change, this.#limits);
    const { expected, value, ttlMs } = change;
    const args = [flag(expected), expected ?? '', flag(value), value ?? '', value === undefined ? '0' : millis(ttlMs)];
    return this.#run(compareAndSetScript, this.#valueKey(key), args, call).then((reply) => {
      const [swapped, found] = reply as [number, string | null | undefined];
      return swapped === 1 ? { swapped: true } : { swapped: false, found: textOf(found) };
    });
  }

  increment(key: string, step: StoreStep, call?: Call): Promise<StoreCount> {
    checkStep(key, step, this.#limits);
    const { by = 1, max = Infinity, ttlMs } = step;
    const args = [String(by), max === Infinity ? '' : String(max), millis(ttlMs)];
    return this.#run(incrementScript, this.#counterKey(key), args, call).then((reply) => {
      const [added, value, remainingMs] = reply as [number, number, number];
      return { value, added: added === 1, remainingMs: Math.max(0, remainingMs) };
    });
  }

  count(key: string, call?: Call): Promise<number | undefined> {
    checkKey(key, this.#limits);
    return this.#send(['GET', this.#counterKey(key)], call).then((reply) =>
      typeof reply === 'string' ? Number(reply) : undefined,
    );
  }

  /** Two commands, since the keys of a cluster may lie apart. */
  delete(key: string, call?: Call): Promise<void> {
    checkKey(key, this.#limits);
    const value = this.#send(['DEL', this.#valueKey(key)], call);
    const counter = this.#send(['DEL', this.#counterKey(key)], call);
    return Promise.all([value, counter]).then(nothing);
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#owned?.destroy();
    }
    return Promise.resolve();
  }

  #valueKey(key: string): string {
    return `${this.#prefix}v:${key}`;
  }

  #counterKey(key: string): string {
    return `${this.#prefix}n:${key}`;
  }

  /** By its hash; a server that does not know it (any more) gets the text. */
  #run({ sha1, text }: RedisScript, key: string, args: readonly string[], call?: Call): Promise<unknown> {
    return this.#send(['EVALSHA', sha1, '1', key, ...args], call).catch((thrown: unknown) => {
      if (!isUnknownScript(thrown)) throw thrown;
      return this.#send(['EVAL', text, '1', key, ...args], call);
    });
  }

  #send(args: readonly string[], call: Call | undefined): Promise<unknown> {
    const client = this.#client;
    if (this.#isClosed || !client?.isReady) return Promise.reject(this.#away(args));
    return new Promise((resolve, reject) => {
      const wheel = wheelOf(this.#clock);
      const entry: DeadlineEntry = {
        deadline: this.#clock.now() + this.#timeoutMs,
        expire: () => reject(this.#failed(args, `gave no answer within ${this.#timeoutMs} ms; see timeoutMs`)),
      };
      wheel.add(entry);
      const leave = call?.onCancel(reject);
      const done = (): void => {
        wheel.remove(entry);
        leave?.();
      };
      client.sendCommand(args).then(
        (reply) => {
          done();
          resolve(reply);
        },
        (thrown: unknown) => {
          done();
          reject(this.#translate(args, thrown));
        },
      );
    });
  }

  #away(args: readonly string[]): FlotillaError {
    const why = this.#isClosed
      ? 'is closed'
      : this.#client
        ? 'has no connection; it is tried again by itself'
        : 'was not started';
    return new FlotillaError('UNAVAILABLE', `${args[0]} was not sent: the store ${this.name} ${why}`);
  }

  #refused(args: readonly string[]): FlotillaError {
    const why = 'has as many commands without an answer as it may; it is too slow for its load';
    return new FlotillaError('UNAVAILABLE', `${args[0]} was not sent: the store ${this.name} ${why}`);
  }

  #failed(args: readonly string[], why: string, cause?: unknown): FlotillaError {
    return new FlotillaError('UNAVAILABLE', `${args[0]} failed: the store ${this.name} ${why}`, {
      executed: 'unknown',
      cause,
    });
  }

  /** What the library says: the server's own answer, or that it could not be had. */
  #translate(args: readonly string[], thrown: unknown): FlotillaError {
    const { message } = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (message === 'The client is offline') return this.#away(args);
    if (message === 'The queue is full') return this.#refused(args);
    if (/^[A-Z]+ /.test(message)) return this.#failed(args, `answered "${message.slice(0, 200)}"`, thrown);
    return this.#failed(args, 'lost its connection before the answer', thrown);
  }
}

function isUnknownScript(thrown: unknown): boolean {
  return thrown instanceof FlotillaError && thrown.detail.includes('"NOSCRIPT ');
}

function placeOf(url: string | undefined): string {
  if (url === undefined) throw new RangeError('a store in Redis wants a url or a client');
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new RangeError('the url of a store in Redis must read redis://host:port or rediss://host:port');
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  return formatHostPort({ host, port: parsed.port === '' ? 6_379 : Number(parsed.port) });
}

function textOf(reply: unknown): string | undefined {
  return typeof reply === 'string' ? reply : undefined;
}

/** Redis takes whole milliseconds. */
function millis(ttlMs: number): string {
  return String(Math.ceil(ttlMs));
}

function flag(value: string | undefined): string {
  return value === undefined ? '0' : '1';
}

function nothing(): void {}
