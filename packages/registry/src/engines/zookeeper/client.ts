import { type Clock, FlotillaError, type Random, type Secret } from '@flotilla/core';
import type { ServerAddress, ZooKeeperTls } from './connection.ts';
import type { JuteReader, JuteWriter } from './jute.ts';
import { type Acl, codeOf, op, readEvent, readStat, type Stat, zookeeperCode } from './protocol.ts';
import { Requests } from './requests.ts';
import { Session } from './session.ts';
import { type CreateOptions, readSteps, writeCreation, writeSteps, type ZooKeeperStep } from './steps.ts';
import { type NodeWatch, NodeWatches, type PersistentListener } from './watches.ts';

export type { ZooKeeperTls } from './connection.ts';
export { type Acl, codeOf, type NodeEventKind, type Stat, zookeeperCode } from './protocol.ts';
export type { CreateOptions, ZooKeeperStep } from './steps.ts';
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

/**
 * A client of ZooKeeper (3.5 or newer; {@link addWatch} wants 3.6): one {@link Session} over as many connections as it takes.
 * Requests wait for a connection until their deadline.
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
  readonly #requestTimeoutMs: number;
  readonly #usualAcl: Acl;
  readonly #watches = new NodeWatches();
  readonly #requests = new Requests();
  readonly #session: Session;
  #firstConnected: (() => void) | undefined;

  /** Connects to nothing yet. @throws FlotillaError CONFIG_INVALID */
  constructor(options: ZooKeeperClientOptions) {
    const { clock, random, user, tls, sessionTimeoutMs = 10_000, requestTimeoutMs = 5_000 } = options;
    const servers = options.servers.map(serverAddress);
    if (servers.length === 0) throw new FlotillaError('CONFIG_INVALID', 'ZooKeeper wants at least one server');
    this.#options = options;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#usualAcl = user ? 'creator' : 'open';
    this.#session = new Session({
      ...{ servers, clock, random, user, tls, sessionTimeoutMs, requestTimeoutMs },
      firstDeadline: () => this.#requests.firstDeadline,
      listener: {
        connected: (isNew) => this.#connected(isNew),
        answered: (id, zxid, code, reader) => this.#requests.answered(id, zxid, code, reader),
        notified: (reader) => this.#notified(reader),
        lost: (reason, was) => this.#lost(reason, was),
        expired: () => options.onSession?.({ kind: 'expired' }),
        ticked: (now, why) => this.#requests.expire(now, why),
      },
    });
  }

  get connected(): boolean {
    return this.#session.state === 'connected';
  }

  /** Of the present session; 0n before the first: what {@link Stat.ephemeralOwner} tells of one's own nodes. */
  get sessionId(): bigint {
    return this.#session.id;
  }

  /**
   * Begins, and resolves with the first connection. @param timeoutMs after which it rejects with what went wrong; the
   * client goes on trying until it is closed. Default: the time of a request.
   */
  connect(timeoutMs: number = this.#requestTimeoutMs): Promise<void> {
    if (this.#session.state !== 'new') throw new FlotillaError('START_FAILED', 'a client of ZooKeeper connects once');
    return new Promise((resolve, reject) => {
      const late = this.#options.clock.setTimer(timeoutMs, () => {
        this.#firstConnected = undefined;
        const nobody = new FlotillaError('CONNECT_FAILED', `no ZooKeeper within ${timeoutMs} ms`);
        reject(this.#session.lastFailure ?? nobody);
      });
      this.#firstConnected = () => {
        late.cancel();
        resolve();
      };
      this.#session.start();
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
    const write = (writer: JuteWriter): void => writeSteps(writer, steps, this.#usualAcl);
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
    if (this.#session.state === 'closed') return;
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
    if (this.#session.state === 'closed') return;
    this.#session.close();
    this.#watches.clear();
    this.#requests.end(new FlotillaError('UNAVAILABLE', 'the client of ZooKeeper is closed'));
  }

  #creation(path: string, data: string, options: CreateOptions): (writer: JuteWriter) => void {
    return (writer) => writeCreation(writer, path, data, options, this.#usualAcl);
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
      const { state } = this.#session;
      if (state === 'closed' || state === 'new')
        throw new FlotillaError('UNAVAILABLE', `cannot ${what}: the client of ZooKeeper is ${state}`);
      this.#requests.assertRoom(what);
      const deadline = this.#options.clock.now() + this.#requestTimeoutMs;
      const request = { type, what, repeatable, write, read, deadline, resolve, reject };
      if (state === 'connected') this.#requests.send(request, this.#put);
      else this.#requests.wait(request);
    });
  }

  readonly #put = (frame: Buffer): void => this.#session.send(frame);

  /** Watches first: what is asked after them misses nothing. */
  #connected(isNew: boolean): void {
    for (const watch of this.#watches.persistent()) this.#rearm(watch);
    this.#requests.sendWaiting(this.#put);
    this.#options.onSession?.({ kind: 'connected', isNew });
    this.#watches.loseAll();
    this.#firstConnected?.();
    this.#firstConnected = undefined;
  }

  #rearm({ path, recursive, rearmed }: { path: string; recursive: boolean; rearmed: () => void }): void {
    const { connection } = this.#session;
    this.#armWatch(path, recursive).then(
      // Another connection meanwhile arms it itself, and says so itself.
      () => connection === this.#session.connection && rearmed(),
      // Refused, it would hear nothing more; another server may take it.
      (error: unknown) => {
        if (connection === this.#session.connection && error instanceof FlotillaError && this.connected)
          this.#session.drop(error);
      },
    );
  }

  #notified(reader: JuteReader): void {
    const event = readEvent(reader);
    if (event) this.#watches.happened(event.kind, event.path);
  }

  #lost(reason: FlotillaError, was: 'connected' | 'connecting'): void {
    if (was === 'connected') this.#options.onSession?.({ kind: 'interrupted', reason });
    this.#requests.lost(reason);
  }
}

function nothing(): void {}

function serverAddress(text: string): ServerAddress {
  const url = URL.parse(`tcp://${text}`);
  const port = Number(url?.port || 2181);
  const plain = url?.hostname && !url.username && !url.search && !url.hash && /^\/?$/.test(url.pathname);
  if (plain && port > 0) return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
  throw new FlotillaError('CONFIG_INVALID', `"${text}" is no server of ZooKeeper; it looks like host:2181`);
}
