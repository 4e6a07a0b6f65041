import { type Clock, FlotillaError, type Random, type Secret, type Timer } from '@flotilla/core';
import { Connection, type ServerAddress, type ZooKeeperTls } from './connection.ts';
import { JuteReader, JuteWriter } from './jute.ts';
import {
  type Acl,
  codeOf,
  op,
  readEvent,
  readStat,
  refusal,
  type Stat,
  writeAcl,
  xid,
  zookeeperCode,
} from './protocol.ts';
import { type NodeWatch, NodeWatches, type PersistentListener } from './watches.ts';

export type { ZooKeeperTls } from './connection.ts';
export { type Acl, codeOf, type NodeEventKind, type Stat, zookeeperCode } from './protocol.ts';
export type { NodeWatch, PersistentListener } from './watches.ts';

/** How a ZooKeeper is reached. */
export interface ZooKeeperClientOptions {
  /** `host:2181`, one per server: another one is taken when one fails. */
  readonly servers: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** For nodes that only this user may touch (scheme `digest`). */
  readonly user?: { readonly name: string; readonly password: Secret | string } | undefined;
  readonly tls?: ZooKeeperTls | undefined;
  /** Wanted; the server may give another one. Ephemeral nodes end this long after the last sign of life. Default 10,000. */
  readonly sessionTimeoutMs?: number;
  /** Until an answer, waiting for a connection included. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** What happens to the session. Must not throw. */
  readonly onSession?: (event: SessionEvent) => void;
}

/**
 * - `connected`: requests flow; `isNew` says that this is another session: ephemeral nodes of the last one end.
 * - `interrupted`: no connection; the session may still live, and it goes on trying.
 * - `expired`: the servers ended the session; a new one follows.
 */
export type SessionEvent =
  | { readonly kind: 'connected'; readonly isNew: boolean }
  | { readonly kind: 'interrupted'; readonly reason: FlotillaError }
  | { readonly kind: 'expired' };

/** How a node is made. */
export interface CreateOptions {
  /** Ends with the session. Default false. */
  readonly ephemeral?: boolean;
  /** The server appends ten digits that rise. Default false. */
  readonly sequential?: boolean;
  /** Default: `creator` for a client with a user, else `open`. */
  readonly acl?: Acl;
}

/** A step of a transaction. `version` -1, the default: whatever it is. */
export type ZooKeeperStep =
  | ({ readonly kind: 'create'; readonly path: string; readonly data: string } & CreateOptions)
  | { readonly kind: 'set'; readonly path: string; readonly data: string; readonly version?: number }
  | { readonly kind: 'delete'; readonly path: string; readonly version?: number }
  | { readonly kind: 'check'; readonly path: string; readonly version: number };

interface Request {
  readonly type: number;
  /** For messages: `create /a/b`. */
  readonly what: string;
  /** May be sent again when the connection broke before its answer. */
  readonly repeatable: boolean;
  readonly write: (writer: JuteWriter) => void;
  /** @param zxid of the last transaction that the server had seen. */
  readonly read: (reader: JuteReader, zxid: number) => unknown;
  readonly deadline: number;
  readonly resolve: (value: never) => void;
  readonly reject: (error: FlotillaError) => void;
}

/** Longest request: servers end the connection above their `jute.maxbuffer`, 0xfffff bytes unless set. */
const maxRequestBytes = 0xfffff;
const maxFrameBytes = 16 * 1_024 * 1_024;
const maxWaiting = 200_000;
const noPassword = Buffer.alloc(16);
const [shortestWaitMs, longestWaitMs] = [50, 2_000];

/**
 * A client of ZooKeeper (3.5 or newer; {@link addWatch} wants 3.6): one session over as many connections as it takes.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | new | nothing | `connect` → connecting |
 * | connecting: to one server after another, with jittered back-off | requests wait for it, until their deadline | the session is taken up, or made anew if it had expired → connected |
 * | connected | requests, watches | silence for two thirds of the session's time, a request without answer, a broken connection → connecting |
 * | closed | nothing | none |
 *
 * What only reads is sent again over the next connection; a write whose answer did not come is thrown with
 * `executed: 'unknown'`: whoever wrote has to read again. The loss of a connection is no end of a session: only the
 * servers tell that.
 *
 * @throws FlotillaError of every method: CONNECT_FAILED, CONNECTION_LOST, DEADLINE_EXCEEDED, UNAVAILABLE, UNAUTHENTICATED,
 * FORBIDDEN, BAD_RESPONSE, and INVALID_INPUT with ZooKeeper's code ({@link codeOf}) for what it refused
 */
export class ZooKeeperClient {
  readonly #options: ZooKeeperClientOptions;
  readonly #servers: readonly ServerAddress[];
  readonly #requestTimeoutMs: number;
  readonly #watches = new NodeWatches();
  #state: 'new' | 'connecting' | 'connected' | 'closed' = 'new';
  #connection: Connection | undefined;
  /** Requests that no connection took yet, in the order of their deadlines. */
  #waiting: Request[] = [];
  /** Requests without an answer yet; answers come in this order. */
  readonly #sent = new Map<number, Request>();
  #xid = 0;
  #server = 0;
  #failures = 0;
  #sessionId = 0n;
  #password: Buffer = noPassword;
  #sessionMs: number;
  #lastZxid = 0n;
  #heardAt = 0;
  #pingedAt = 0;
  #lostAt = 0;
  #handshake: 'none' | 'asked' | 'done' = 'none';
  #tick: Timer | undefined;
  #retry: Timer | undefined;
  #firstConnected: (() => void) | undefined;
  #lastFailure: FlotillaError | undefined;

  /** Connects to nothing yet. @throws FlotillaError CONFIG_INVALID */
  constructor(options: ZooKeeperClientOptions) {
    this.#options = options;
    this.#servers = options.servers.map(serverAddress);
    if (this.#servers.length === 0) throw new FlotillaError('CONFIG_INVALID', 'ZooKeeper wants at least one server');
    this.#sessionMs = options.sessionTimeoutMs ?? 10_000;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 5_000;
    this.#server = Math.floor(options.random() * this.#servers.length);
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  /** Of the present session; 0n before the first: what {@link Stat.ephemeralOwner} tells of one's own nodes. */
  get sessionId(): bigint {
    return this.#sessionId;
  }

  /**
   * Begins, and resolves with the first connection. @param timeoutMs after which it rejects with what went wrong; the
   * client goes on trying until it is closed. Default: the time of a request.
   */
  connect(timeoutMs: number = this.#requestTimeoutMs): Promise<void> {
    if (this.#state !== 'new') throw new FlotillaError('START_FAILED', 'a client of ZooKeeper connects once');
    const { clock } = this.#options;
    this.#state = 'connecting';
    this.#lostAt = clock.now();
    this.#armTick();
    return new Promise((resolve, reject) => {
      const late = clock.setTimer(timeoutMs, () => {
        this.#firstConnected = undefined;
        reject(this.#lastFailure ?? new FlotillaError('CONNECT_FAILED', `no ZooKeeper within ${timeoutMs} ms`));
      });
      this.#firstConnected = () => {
        late.cancel();
        resolve();
      };
      this.#open();
    });
  }

  /** @returns its path, which the server completes if it is `sequential`. */
  create(path: string, data: string, options: CreateOptions = {}): Promise<string> {
    return this.#request(op.create, `create ${path}`, false, this.#creation(path, data, options), (r) => r.text());
  }

  /** {@link create}, and what ZooKeeper then knows of it. */
  createStat(path: string, data: string, options: CreateOptions = {}): Promise<{ path: string; stat: Stat }> {
    return this.#request(op.create2, `create ${path}`, false, this.#creation(path, data, options), (reader) => ({
      path: reader.text(),
      stat: readStat(reader),
    }));
  }

  /** Makes a node and those above it, as far as they are missing. */
  async ensure(path: string, acl?: Acl): Promise<void> {
    const parts = path.split('/').slice(1);
    for (let depth = 1; depth <= parts.length; depth++) {
      try {
        await this.create(`/${parts.slice(0, depth).join('/')}`, '', { ...(acl ? { acl } : undefined) });
      } catch (error) {
        if (codeOf(error) !== zookeeperCode.nodeExists) throw error;
      }
    }
  }

  /** @param version -1, the default: whatever it is. */
  delete(path: string, version = -1): Promise<void> {
    return this.#request(op.delete, `delete ${path}`, false, (w) => w.text(path).int(version), nothing);
  }

  set(path: string, data: string, version = -1): Promise<Stat> {
    const write = (writer: JuteWriter) => writer.text(path).buffer(Buffer.from(data)).int(version);
    return this.#request(op.setData, `write ${path}`, false, write, readStat);
  }

  /** @returns undefined for a node that is not there. @param watch told once, when it is made, written, or deleted. */
  exists(path: string, watch?: NodeWatch): Promise<Stat | undefined> {
    return this.#look(op.exists, path, watch, readStat, 'data');
  }

  /** @returns undefined for a node that is not there. @param watch told once, when it is written or deleted. */
  get(path: string, watch?: NodeWatch): Promise<{ data: Buffer; stat: Stat } | undefined> {
    const read = (reader: JuteReader) => ({ data: reader.buffer(), stat: readStat(reader) });
    return this.#look(op.getData, path, watch, read, 'data');
  }

  /** @returns names; undefined for a node that is not there. @param watch told once, when a child is made or deleted. */
  children(path: string, watch?: NodeWatch): Promise<{ names: string[]; stat: Stat } | undefined> {
    const read = (reader: JuteReader) => ({ names: reader.texts(), stat: readStat(reader) });
    return this.#look(op.getChildren2, path, watch, read, 'children');
  }

  /** The server that answers knows everything that was written anywhere before. */
  sync(path: string): Promise<void> {
    return this.#request(op.sync, `synchronise ${path}`, true, (writer) => writer.text(path), nothing);
  }

  /** All or nothing. @throws FlotillaError with the code of the first step that failed */
  transact(steps: readonly ZooKeeperStep[]): Promise<void> {
    const write = (writer: JuteWriter): void => {
      for (const step of steps) this.#writeStep(writer, step);
      writer.int(-1).bool(true).int(-1);
    };
    const what = `do ${steps.map(({ kind, path }) => `${kind} ${path}`).join(', ')}`;
    return this.#request(op.multi, what, false, write, (reader) => readSteps(reader, what));
  }

  /**
   * Follows a node, or it and everything below it (`recursive`), until the returned function is called: over connections
   * and sessions. ZooKeeper keeps nothing of what happened while there was no connection: then `rearmed` tells to look at
   * everything again. `deleted`, `created` and `changed` come for each change, `children` only for what is not recursive.
   */
  async addWatch(path: string, recursive: boolean, listener: PersistentListener): Promise<() => void> {
    const end = this.#watches.persist(path, recursive, listener);
    try {
      await this.#armWatch(path, recursive);
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Ends the session, with its ephemeral nodes, as far as a server can be told. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const told = this.connected
      ? this.#request(op.closeSession, 'end the session', false, () => {}, nothing).catch(() => {})
      : undefined;
    const limit = this.#options.clock.setTimer(1_000, () => this.#shut());
    await told;
    limit.cancel();
    this.#shut();
  }

  /** Breaks off without a word, as a crash would: the session and its nodes last until their time is over. */
  abandon(): void {
    this.#shut();
  }

  #shut(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#tick?.cancel();
    this.#retry?.cancel();
    this.#connection?.close();
    this.#watches.clear();
    this.#rejectAll(new FlotillaError('UNAVAILABLE', 'the client of ZooKeeper is closed'), () => false);
  }

  #creation(path: string, data: string, options: CreateOptions): (writer: JuteWriter) => void {
    const { ephemeral = false, sequential = false, acl = this.#options.user ? 'creator' : 'open' } = options;
    return (writer) => {
      writer.text(path).buffer(Buffer.from(data));
      writeAcl(writer, acl);
      writer.int((ephemeral ? 1 : 0) + (sequential ? 2 : 0));
    };
  }

  #writeStep(writer: JuteWriter, step: ZooKeeperStep): void {
    const { path } = step;
    const begin = (type: number) => writer.int(type).bool(false).int(-1);
    if (step.kind === 'create') {
      begin(op.create);
      this.#creation(path, step.data, step)(writer);
    } else if (step.kind === 'set') {
      begin(op.setData);
      writer
        .text(path)
        .buffer(Buffer.from(step.data))
        .int(step.version ?? -1);
    } else {
      begin(step.kind === 'delete' ? op.delete : op.check);
      writer.text(path).int(step.version ?? -1);
    }
  }

  async #look<T>(
    type: number,
    path: string,
    watch: NodeWatch | undefined,
    read: (reader: JuteReader) => T,
    kind: 'data' | 'children',
  ): Promise<T | undefined> {
    const watching = watch && this.#watches.once(path, kind, watch);
    const write = (writer: JuteWriter) => writer.text(path).bool(watch !== undefined);
    try {
      return await this.#request(type, `read ${path}`, true, write, read);
    } catch (error) {
      // The server watches for a node that is not there only if it was asked whether it exists.
      if (codeOf(error) !== zookeeperCode.noNode || type !== op.exists) watching?.();
      if (codeOf(error) === zookeeperCode.noNode) return undefined;
      throw error;
    }
  }

  #armWatch(path: string, recursive: boolean): Promise<void> {
    return this.#request(op.addWatch, `watch ${path}`, true, (w) => w.text(path).int(recursive ? 1 : 0), nothing);
  }

  #request<T>(
    type: number,
    what: string,
    repeatable: boolean,
    write: (writer: JuteWriter) => void,
    read: (reader: JuteReader, zxid: number) => T,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#state === 'closed' || this.#state === 'new')
        return reject(new FlotillaError('UNAVAILABLE', `cannot ${what}: the client of ZooKeeper is ${this.#state}`));
      if (this.#waiting.length + this.#sent.size >= maxWaiting)
        return reject(new FlotillaError('UNAVAILABLE', `cannot ${what}: ${maxWaiting} requests wait already`));
      const deadline = this.#options.clock.now() + this.#requestTimeoutMs;
      const request: Request = { type, what, repeatable, write, read, deadline, resolve, reject };
      if (this.#state === 'connected') this.#send(request);
      else this.#waiting.push(request);
    });
  }

  #send(request: Request): void {
    this.#xid = this.#xid >= 0x7fffffff ? 1 : this.#xid + 1;
    const writer = new JuteWriter().int(this.#xid).int(request.type);
    request.write(writer);
    const frame = writer.frame();
    if (frame.length > maxRequestBytes) {
      const detail = `cannot ${request.what}: ${frame.length} bytes are over ZooKeeper's limit of ${maxRequestBytes}`;
      request.reject(new FlotillaError('INVALID_INPUT', detail));
      return;
    }
    this.#sent.set(this.#xid, request);
    this.#connection?.send(frame);
  }

  #open(): void {
    const server = this.#servers[this.#server % this.#servers.length];
    if (this.#state === 'closed' || !server) return;
    const { clock, tls } = this.#options;
    this.#handshake = 'none';
    const connection: Connection = new Connection(server, tls, maxFrameBytes, clock, {
      connected: () => this.#introduce(),
      frame: (bytes) => this.#receive(new JuteReader(bytes)),
      closed: (reason) => connection === this.#connection && this.#lost(reason),
    });
    this.#connection = connection;
    this.#heardAt = clock.now();
  }

  /** ConnectRequest: protocol, last transaction seen, session time, session and its password, read-only. */
  #introduce(): void {
    this.#handshake = 'asked';
    const { sessionTimeoutMs = 10_000 } = this.#options;
    const writer = new JuteWriter().int(0).long(this.#lastZxid).int(sessionTimeoutMs).long(this.#sessionId);
    this.#connection?.send(writer.buffer(this.#password).bool(false).frame());
  }

  #receive(reader: JuteReader): void {
    this.#heardAt = this.#options.clock.now();
    if (this.#handshake === 'asked') this.#welcome(reader);
    else this.#answered(reader);
  }

  #welcome(reader: JuteReader): void {
    reader.int(); // protocol
    const sessionMs = reader.int();
    const sessionId = reader.long();
    const password = reader.buffer();
    this.#handshake = 'done';
    if (sessionMs <= 0) {
      this.#expire();
      this.#failures = 0;
      this.#dropConnection(new FlotillaError('CONNECTION_LOST', 'ZooKeeper ended the session: it had expired'));
      return;
    }
    const isNew = sessionId !== this.#sessionId;
    this.#sessionMs = sessionMs;
    this.#sessionId = sessionId;
    this.#password = password;
    this.#failures = 0;
    this.#state = 'connected';
    this.#authenticate();
    for (const watch of this.#watches.persistent()) this.#rearm(watch);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.#send(request);
    this.#options.onSession?.({ kind: 'connected', isNew });
    this.#watches.loseAll();
    this.#firstConnected?.();
    this.#firstConnected = undefined;
  }

  #authenticate(): void {
    const { user } = this.#options;
    if (!user) return;
    const password = typeof user.password === 'string' ? user.password : user.password.reveal();
    const writer = new JuteWriter().int(xid.auth).int(op.auth).int(0).text('digest');
    this.#connection?.send(writer.buffer(Buffer.from(`${user.name}:${password}`)).frame());
  }

  #rearm({ path, recursive, rearmed }: { path: string; recursive: boolean; rearmed: () => void }): void {
    const connection = this.#connection;
    this.#armWatch(path, recursive).then(
      // Another connection meanwhile arms it itself, and says so itself.
      () => connection === this.#connection && rearmed(),
      // Refused, it would hear nothing more; another server may take it.
      (error: unknown) => {
        if (connection === this.#connection && error instanceof FlotillaError && this.connected)
          this.#dropConnection(error);
      },
    );
  }

  #answered(reader: JuteReader): void {
    const id = reader.int();
    const zxid = reader.long();
    const code = reader.int();
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    if (id === xid.ping) return;
    if (id === xid.notification) this.#notified(reader);
    else if (id !== xid.auth) this.#settle(id, Number(zxid), code, reader);
    else if (code !== 0) this.#refused(refusal(zookeeperCode.authFailed, "take this client's user"));
  }

  #settle(id: number, zxid: number, code: number, reader: JuteReader): void {
    const [due] = this.#sent;
    if (due?.[0] !== id) throw new Error(`an answer to request ${id} came, one to ${due?.[0] ?? 'none'} was due`);
    const [, request] = due;
    this.#sent.delete(id);
    try {
      if (code !== 0) throw refusal(code, request.what);
      request.resolve(request.read(reader, zxid) as never);
    } catch (error) {
      request.reject(error instanceof FlotillaError ? error : new FlotillaError('BAD_RESPONSE', String(error)));
    }
  }

  #notified(reader: JuteReader): void {
    const event = readEvent(reader);
    if (event) this.#watches.happened(event.kind, event.path);
  }

  /** Neither another server nor another try changes that. */
  #refused(reason: FlotillaError): void {
    this.#lastFailure = reason;
    this.#rejectAll(reason, () => false);
    this.#dropConnection(reason);
  }

  #dropConnection(reason: FlotillaError): void {
    this.#connection?.close();
    this.#lost(reason);
  }

  #lost(reason: FlotillaError): void {
    if (this.#state === 'closed') return;
    const { clock, random, onSession } = this.#options;
    this.#connection = undefined;
    this.#lastFailure = reason;
    if (this.#state === 'connected') {
      this.#state = 'connecting';
      this.#lostAt = clock.now();
      onSession?.({ kind: 'interrupted', reason });
    }
    // A server that has seen less than we have hangs up at once. If all do, for longer than the session can have lived,
    // they were set up anew, and what we saw is no more.
    const refusedLong = this.#handshake === 'asked' && clock.now() - this.#lostAt > 2 * this.#sessionMs;
    if (refusedLong && this.#lastZxid > 0n) {
      this.#lastZxid = 0n;
      this.#expire();
    }
    this.#rejectAll(reason, ({ repeatable }) => repeatable);
    this.#server = (this.#server + 1) % this.#servers.length;
    const round = Math.floor(this.#failures++ / this.#servers.length);
    const waitMs = Math.min(longestWaitMs, shortestWaitMs * 2 ** Math.min(round, 10)) * (0.5 + random() / 2);
    this.#retry = clock.setTimer(this.#failures === 1 ? 0 : waitMs, () => this.#open());
  }

  #expire(): void {
    const was = this.#sessionId;
    this.#sessionId = 0n;
    this.#password = noPassword;
    if (was !== 0n) this.#options.onSession?.({ kind: 'expired' });
  }

  /** Requests that may go over the next connection wait for it; the others have an unknown outcome. */
  #rejectAll(reason: FlotillaError, keep: (request: Request) => boolean): void {
    const sent = [...this.#sent.values()];
    this.#sent.clear();
    this.#waiting = [...sent.filter(keep), ...this.#waiting];
    for (const request of sent) {
      if (keep(request)) continue;
      const detail = `cannot tell whether ZooKeeper did: ${request.what}; ${reason.detail}`;
      request.reject(new FlotillaError(reason.code, detail, { executed: 'unknown', cause: reason, data: reason.data }));
    }
    if (this.#state !== 'closed' && reason.code !== 'UNAUTHENTICATED') return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) request.reject(reason);
  }

  #armTick(): void {
    const { clock } = this.#options;
    const everyMs = Math.max(20, Math.min(this.#sessionMs / 6, this.#requestTimeoutMs / 4));
    this.#tick = clock.setTimer(everyMs, () => {
      this.#housekeep(clock.now());
      if (this.#state !== 'closed') this.#armTick();
    });
  }

  #housekeep(now: number): void {
    while (this.#waiting[0] && this.#waiting[0].deadline <= now) {
      const request = this.#waiting.shift();
      const why = this.#lastFailure?.detail ?? 'no server answered';
      request?.reject(new FlotillaError('CONNECT_FAILED', `cannot ${request.what}: ${why}`, { executed: 'no' }));
    }
    const silentMs = now - this.#heardAt;
    const [overdue] = this.#sent.values();
    if (overdue && overdue.deadline <= now && silentMs >= Math.min(this.#requestTimeoutMs, this.#sessionMs / 3)) {
      const detail = `ZooKeeper did not answer within ${this.#requestTimeoutMs} ms`;
      this.#dropConnection(new FlotillaError('DEADLINE_EXCEEDED', detail));
    } else if (this.#connection && silentMs >= (this.#sessionMs * 2) / 3) {
      const detail = `ZooKeeper said nothing for ${Math.round(silentMs)} ms`;
      this.#dropConnection(new FlotillaError('CONNECTION_LOST', detail));
    } else if (this.connected && now - Math.max(this.#pingedAt, this.#heardAt) >= this.#sessionMs / 3 - 1) {
      this.#pingedAt = now;
      this.#connection?.send(new JuteWriter().int(xid.ping).int(op.ping).frame());
    }
  }
}

function nothing(): void {}

function readSteps(reader: JuteReader, what: string): void {
  let failed = 0;
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) break;
    if (type === -1) {
      const code = reader.int();
      const decisive = code !== 0 && code !== zookeeperCode.runtimeInconsistency;
      if (decisive && failed === 0) failed = code;
    } else if (type === op.create) reader.text();
    else if (type === op.setData) readStat(reader);
  }
  if (failed !== 0) throw refusal(failed, what);
}

function serverAddress(text: string): ServerAddress {
  const url = URL.parse(`tcp://${text}`);
  const port = Number(url?.port || 2181);
  const plain = url?.hostname && !url.username && !url.search && !url.hash && /^\/?$/.test(url.pathname);
  if (plain && port > 0) return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
  throw new FlotillaError('CONFIG_INVALID', `"${text}" is no server of ZooKeeper; it looks like host:2181`);
}
