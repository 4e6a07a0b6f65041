import { type Clock, FlotillaError, type Random, Secret } from '@flotilla/core';
import { failure, grpcCode, isFault, notFound, unauthenticated } from './failures.ts';
import { type EtcdTls, Gateway, type LineListener, type LineStream } from './gateway.ts';
import {
  base64,
  digits,
  type EtcdDone,
  type EtcdKeys,
  type EtcdRange,
  type EtcdTransaction,
  headerRevision,
  type Json,
  keysField,
  readDone,
  readEach,
  readRange,
  record,
  transactionField,
  wholeNumber,
} from './messages.ts';
import { EtcdWatch, type EtcdWatchListener } from './watch.ts';

export { isCompacted } from './failures.ts';
export type { EtcdTls } from './gateway.ts';
export type {
  EtcdCompare,
  EtcdDone,
  EtcdEvent,
  EtcdKeys,
  EtcdPair,
  EtcdRange,
  EtcdStep,
  EtcdTransaction,
} from './messages.ts';
export type { EtcdWatch, EtcdWatchListener } from './watch.ts';

/** How an etcd is reached. */
export interface EtcdClientOptions {
  /** `http://host:2379` or `https://…`, one per member: another one is taken when one fails. */
  readonly endpoints: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** For an etcd whose authentication is on. Both or none. */
  readonly username?: string | undefined;
  readonly password?: Secret | string | undefined;
  readonly tls?: EtcdTls | undefined;
  /** Until an answer, other endpoints' attempts included. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** A watch that says nothing for this long has its member asked whether it still lives. Default 10,000. */
  readonly idleProbeMs?: number;
}

/** What one range request asks for. */
export type EtcdRangeRequest = EtcdKeys & {
  /** First key of the page, within the prefix. */
  readonly from?: string | undefined;
  /** Default: no limit; give one wherever there can be many. */
  readonly limit?: number;
  /** As the store was then; default: now, as most members know it. */
  readonly revision?: number | undefined;
  readonly keysOnly?: boolean;
};

/**
 * A client of etcd's v3 API over its gRPC gateway (JSON over HTTP/1.1 on etcd's client port, on unless etcd was started
 * with `--enable-grpc-gateway=false`).
 *
 * It stays with one member until that fails and then takes the next. What certainly was not done, and what only reads,
 * is tried at another member within the same deadline; a write whose outcome is unknown (`executed: 'unknown'`) is
 * thrown: whoever wrote has to read again. Watches arm themselves anew from the last revision that they told.
 *
 * etcd's gateway cannot take a user from a client certificate's name: with authentication on, give user and password.
 *
 * @throws FlotillaError of every method: CONNECT_FAILED, CONNECTION_LOST, DEADLINE_EXCEEDED, UNAVAILABLE (the cluster has
 * no leader), UNAUTHENTICATED, FORBIDDEN, BAD_RESPONSE, INVALID_INPUT.
 */
export class EtcdClient {
  readonly #options: EtcdClientOptions;
  readonly #gateways: readonly Gateway[];
  readonly #requestTimeoutMs: number;
  readonly #password: Secret | undefined;
  readonly #watches = new Set<EtcdWatch>();
  #current = 0;
  #token: string | undefined;
  #authenticating: Promise<void> | undefined;
  #closed = false;

  /** Connects to nothing yet. @throws FlotillaError CONFIG_INVALID */
  constructor(options: EtcdClientOptions) {
    this.#options = options;
    this.#gateways = options.endpoints.map((text) => new Gateway(endpointUrl(text), options.tls, options.clock));
    if (this.#gateways.length === 0) throw new FlotillaError('CONFIG_INVALID', 'etcd wants at least one endpoint');
    const { username, password } = options;
    if ((username === undefined) !== (password === undefined))
      throw new FlotillaError('CONFIG_INVALID', 'etcd wants a user and a password, or none of both');
    this.#password = typeof password === 'string' ? new Secret(password) : password;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 5_000;
  }

  /** Where requests go now. */
  get endpoint(): string {
    return this.#gateway.url.origin;
  }

  async range(request: EtcdRangeRequest): Promise<EtcdRange> {
    const { from, limit, revision, keysOnly } = request;
    const answer = await this.#call('/v3/kv/range', {
      ...keysField(request),
      ...(from === undefined ? undefined : { key: base64(from) }),
      ...(limit === undefined ? undefined : { limit: String(limit) }),
      ...(revision === undefined ? undefined : { revision: String(revision) }),
      ...(keysOnly ? { keys_only: true } : undefined),
    });
    return readRange(answer);
  }

  /** Every key of a prefix as of one revision, in pages. @throws FlotillaError as {@link isCompacted} tells, for very slow readers */
  async *pages(prefix: string, limit = 1_000): AsyncGenerator<EtcdRange, undefined> {
    let from: string | undefined;
    let revision: number | undefined;
    for (;;) {
      const page = await this.range({ prefix, from, limit, revision });
      revision ??= page.revision;
      yield { ...page, revision };
      const last = page.pairs.at(-1);
      if (!page.more || !last) return;
      from = `${last.key}\0`;
    }
  }

  /** @returns the revision of the write. */
  async put(key: string, value: string, lease?: string): Promise<number> {
    const fields = { key: base64(key), value: base64(value), ...(lease ? { lease } : undefined) };
    return headerRevision(await this.#call('/v3/kv/put', fields, 'writes'));
  }

  /** @returns how many keys went. */
  async delete(keys: EtcdKeys): Promise<number> {
    const answer = await this.#call('/v3/kv/deleterange', keysField(keys), 'writes');
    return wholeNumber(answer['deleted'], 'deleted');
  }

  /** All or nothing: when every comparison holds, the steps of `success`, else those of `failure`. */
  async transact(transaction: EtcdTransaction): Promise<EtcdDone> {
    return readDone(await this.#call('/v3/kv/txn', transactionField(transaction), 'writes'));
  }

  /**
   * Several transactions in one request and one write of etcd's log. Each goes by its own comparisons with what was there
   * before all of them; what they write has one revision. No two may touch one key. etcd takes 127 at a time unless its
   * `--max-txn-ops` says otherwise.
   * @returns their answers, in their order.
   */
  async transactEach(transactions: readonly EtcdTransaction[]): Promise<readonly EtcdDone[]> {
    const success = transactions.map((transaction) => ({ request_txn: transactionField(transaction) }));
    return readEach(await this.#call('/v3/kv/txn', { success }, 'writes'), transactions.length);
  }

  /** @returns the new lease's id; it ends `ttlSeconds` after its last {@link keepAlive}. */
  async grantLease(ttlSeconds: number): Promise<string> {
    const answer = await this.#call('/v3/lease/grant', { TTL: String(ttlSeconds) });
    return digits(answer['ID'], 'ID');
  }

  /** @returns the seconds that the lease has from now on; 0: it has ended. */
  async keepAlive(lease: string): Promise<number> {
    const answer = await this.#call('/v3/lease/keepalive', { ID: lease });
    return wholeNumber(record(answer['result'] ?? {}, 'result')['TTL'], 'TTL');
  }

  /** Ends a lease and every key that hangs on it. @returns false when it had ended before. */
  async revokeLease(lease: string): Promise<boolean> {
    try {
      await this.#call('/v3/lease/revoke', { ID: lease });
      return true;
    } catch (error) {
      if (grpcCode(error) === notFound) return false;
      throw error;
    }
  }

  /** Everything before that revision is forgotten: for operators and tests. */
  async compact(revision: number): Promise<void> {
    await this.#call('/v3/kv/compaction', { revision: String(revision), physical: true }, 'writes');
  }

  /**
   * Tells every change of these keys from a revision on, in order and none twice, across members that fail, until closed
   * or until history that it needs is compacted.
   * @param fromRevision the first that is told: one more than that of the list it goes on from. Absent: from now on.
   */
  watch(keys: EtcdKeys, fromRevision: number | undefined, listener: EtcdWatchListener): EtcdWatch {
    const { clock, random, idleProbeMs = 10_000 } = this.#options;
    const watch: EtcdWatch = new EtcdWatch({
      clock,
      random,
      idleProbeMs,
      keys,
      fromRevision,
      listener,
      open: (fields, heard) => this.#stream('/v3/watch', fields, heard),
      probe: (endpoint) => this.#probe(endpoint, keys),
      failed: (endpoint, error) => this.#noticeFault(endpoint, error),
      closed: () => this.#watches.delete(watch),
    });
    this.#watches.add(watch);
    watch.start();
    return watch;
  }

  /** Ends watches and connections; requests in flight fail. */
  close(): void {
    this.#closed = true;
    for (const watch of [...this.#watches]) watch.close();
    for (const gateway of this.#gateways) gateway.close();
  }

  get #gateway(): Gateway {
    const gateway = this.#gateways[this.#current % this.#gateways.length];
    if (!gateway) throw new FlotillaError('CONFIG_INVALID', 'etcd wants at least one endpoint');
    return gateway;
  }

  async #call(path: string, fields: Json, kind: 'repeatable' | 'writes' = 'repeatable'): Promise<Json> {
    const body = JSON.stringify(fields);
    const deadline = this.#options.clock.now() + this.#requestTimeoutMs;
    let tokenRenewed = false;
    for (let attempt = 1; ; attempt++) {
      if (this.#closed) throw new FlotillaError('UNAVAILABLE', 'the client of etcd is closed');
      const gateway = this.#gateway;
      try {
        await this.#authenticated(gateway, deadline);
        return await this.#ask(gateway, path, body, this.#attemptMs(deadline, kind));
      } catch (error) {
        if (grpcCode(error) === unauthenticated && this.#password && !tokenRenewed) {
          tokenRenewed = true;
          this.#token = undefined;
          continue;
        }
        this.#noticeFault(gateway.url.origin, error);
        const repeatable = kind === 'repeatable' || (error instanceof FlotillaError && error.executed === 'no');
        const timeLeft = deadline - this.#options.clock.now() > 5;
        if (!(isFault(error) && repeatable && timeLeft && attempt <= this.#gateways.length)) throw error;
      }
    }
  }

  /** A read may have the time of one member among several; a write has it all, since nobody may repeat it. */
  #attemptMs(deadline: number, kind: 'repeatable' | 'writes'): number {
    const left = deadline - this.#options.clock.now();
    if (kind === 'writes') return left;
    return Math.min(left, Math.max(1_000, this.#requestTimeoutMs / (this.#gateways.length + 1)));
  }

  async #ask(gateway: Gateway, path: string, body: string, timeoutMs: number): Promise<Json> {
    const { status, text } = await gateway.post({ path, body, token: this.#token }, timeoutMs);
    if (status === 404 && !text.startsWith('{')) throw noGateway(gateway);
    const answer = parse(text, path);
    if (status === 200 && answer['error'] === undefined) return answer;
    throw failure(gateway.url.origin, path, answer);
  }

  async #authenticated(gateway: Gateway, deadline: number): Promise<void> {
    if (!this.#password || this.#token !== undefined) return;
    this.#authenticating ??= this.#authenticate(gateway, deadline).finally(() => {
      this.#authenticating = undefined;
    });
    await this.#authenticating;
  }

  async #authenticate(gateway: Gateway, deadline: number): Promise<void> {
    const fields = { name: this.#options.username, password: this.#password?.reveal() };
    const timeoutMs = this.#attemptMs(deadline, 'repeatable');
    const answer = await this.#ask(gateway, '/v3/auth/authenticate', JSON.stringify(fields), timeoutMs);
    const token = answer['token'];
    if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token))
      throw new FlotillaError('BAD_RESPONSE', `etcd at ${gateway.url.origin} answered a login without a token`);
    this.#token = token;
  }

  async #stream(path: string, fields: Json, listener: LineListener): Promise<{ endpoint: string; stream: LineStream }> {
    const gateway = this.#gateway;
    try {
      await this.#authenticated(gateway, this.#options.clock.now() + this.#requestTimeoutMs);
    } catch (error) {
      this.#noticeFault(gateway.url.origin, error);
      throw error;
    }
    const stream = gateway.stream({ path, body: JSON.stringify(fields), token: this.#token }, listener);
    return { endpoint: gateway.url.origin, stream };
  }

  /** Asks that member, and through it the majority, for next to nothing. */
  async #probe(endpoint: string, keys: EtcdKeys): Promise<void> {
    const gateway = this.#gateways.find(({ url }) => url.origin === endpoint) ?? this.#gateway;
    const body = JSON.stringify({ ...keysField(keys), count_only: true, limit: '1' });
    await this.#ask(gateway, '/v3/kv/range', body, this.#attemptMs(Infinity, 'repeatable'));
  }

  /** The next member is taken, once, however many requests failed at this one. */
  #noticeFault(endpoint: string, error: unknown): void {
    if (grpcCode(error) === unauthenticated) this.#token = undefined;
    if (isFault(error) && this.endpoint === endpoint) this.#current = (this.#current + 1) % this.#gateways.length;
  }
}

function noGateway({ url }: Gateway): FlotillaError {
  const detail =
    `etcd at ${url.origin} serves no /v3 API over HTTP/1.1: it is older than 3.4, or was started with ` +
    '--enable-grpc-gateway=false';
  return new FlotillaError('BAD_RESPONSE', detail, { executed: 'no' });
}

function parse(text: string, path: string): Json {
  try {
    return record(JSON.parse(text), 'the answer');
  } catch (cause) {
    throw new FlotillaError('BAD_RESPONSE', `etcd answered ${path} with something that is no JSON object`, { cause });
  }
}

function endpointUrl(text: string): URL {
  const url = URL.parse(text);
  const plain = url && (url.protocol === 'http:' || url.protocol === 'https:') && url.pathname === '/' && !url.username;
  if (plain) return url;
  throw new FlotillaError('CONFIG_INVALID', `"${text}" is no endpoint of etcd; it looks like http://host:2379`);
}
