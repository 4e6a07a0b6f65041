import { backoffAfterMs, FlotillaError, type Random } from '@flotilla/core';

/**
 * What the store needs of a client of Redis. What `createClient()` of `redis` or `@redis/client` makes fits as it is.
 */
export interface RedisClient {
  /** True while commands can be sent. */
  readonly isReady: boolean;
  sendCommand(args: readonly string[]): Promise<unknown>;
}

/** A client of our own, with its ends. */
export interface OwnedClient extends RedisClient {
  /** Begins to connect, and goes on until it is closed. Resolves when connected, rejects when closed before. */
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: 'error' | 'ready', listener: (error: Error) => void): unknown;
}

/** Where Redis is, and how it is reached. */
export interface RedisConnection {
  readonly url: string;
  readonly timeoutMs: number;
  /** Of TLS, as Node has them: `ca`, `cert`, `key`, `servername`. Only with `rediss:`. */
  readonly tls: Readonly<Record<string, unknown>> | undefined;
  readonly random: Random;
}

/** How long is waited between two tries to connect. */
const reconnect = { leastMs: 25, mostMs: 2_000 };

/** The server is asked whether it is there this often, and given up when it is silent for longer than the second time. */
const [pingMs, silentMs] = [2_000, 5_000];

/** More than this is not waited for by one process: it is refused. */
const maxPending = 10_000;

/**
 * Makes a client; the library is loaded here, and only here.
 * @throws FlotillaError PACKAGE_MISSING
 */
export async function createOwnedClient({ url, timeoutMs, tls, random }: RedisConnection): Promise<OwnedClient> {
  const { createClient } = await loadLibrary();
  const client = createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true, // a caller is told at once, and decides for itself
    commandsQueueMaxLength: maxPending,
    pingInterval: pingMs,
    socket: {
      ...tls,
      connectTimeout: Math.max(timeoutMs, 1_000),
      socketTimeout: silentMs,
      noDelay: true,
      reconnectStrategy: (retries: number) => backoffAfterMs(retries + 1, reconnect, random),
    },
  } as Parameters<typeof createClient>[0]);
  return client as unknown as OwnedClient;
}

async function loadLibrary(): Promise<typeof import('@redis/client')> {
  try {
    return await import('@redis/client');
  } catch (cause) {
    throw new FlotillaError(
      'PACKAGE_MISSING',
      'a store in Redis needs the package "@redis/client": npm install @redis/client',
      { cause },
    );
  }
}
