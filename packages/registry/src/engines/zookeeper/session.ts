import { type Clock, FlotillaError, type Random, type Secret, type Timer } from '@flotilla/core';
import { Connection, type ServerAddress, type ZooKeeperTls } from './connection.ts';
import { JuteReader, JuteWriter } from './jute.ts';
import { op, refusal, xid, zookeeperCode } from './protocol.ts';

/** What a {@link Session} needs. */
export interface SessionParts {
  readonly servers: readonly ServerAddress[];
  readonly clock: Clock;
  readonly random: Random;
  readonly user: { readonly name: string; readonly password: Secret | string } | undefined;
  readonly tls: ZooKeeperTls | undefined;
  /** Wanted; the server may give another one. */
  readonly sessionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly listener: SessionListener;
  /** The deadline of the request that was sent first and has no answer. */
  readonly firstDeadline: () => number;
}

/** Who hears a session. None of these may throw, unless it says so. */
export interface SessionListener {
  /** Requests flow from now on. `isNew`: it is another session than the last one. */
  connected(isNew: boolean): void;
  /** An answer. May throw: then the connection is given up. */
  answered(id: number, zxid: number, code: number, reader: JuteReader): void;
  /** What a watch tells. */
  notified(reader: JuteReader): void;
  /** A connection ended, or none could be made. `was`: whether requests flowed. */
  lost(reason: FlotillaError, was: 'connected' | 'connecting'): void;
  expired(): void;
  /** Time goes by. @param why requests that wait have no connection. */
  ticked(now: number, why: string): void;
}

const maxFrameBytes = 16 * 1_024 * 1_024;
const noPassword = Buffer.alloc(16);
const [shortestWaitMs, longestWaitMs] = [50, 2_000];

/**
 * One session over as many connections as it takes; a new one when the servers say that it has expired.
 *
 * | state | exits |
 * |---|---|
 * | new | `start` → connecting |
 * | connecting: to one server after another, with jittered back-off | the session is taken up, or made anew if it had expired → connected |
 * | connected | silence for two thirds of the session's time, a request without answer, a broken connection → connecting |
 * | closed | none |
 */
export class Session {
  readonly #parts: SessionParts;
  #state: 'new' | 'connecting' | 'connected' | 'closed' = 'new';
  #connection: Connection | undefined;
  #server: number;
  #failures = 0;
  #id = 0n;
  #password: Buffer = noPassword;
  #sessionMs: number;
  #lastZxid = 0n;
  #heardAt = 0;
  #pingedAt = 0;
  #lostAt = 0;
  #handshake: 'none' | 'asked' | 'done' = 'none';
  #tick: Timer | undefined;
  #retry: Timer | undefined;
  #lastFailure: FlotillaError | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#sessionMs = parts.sessionTimeoutMs;
    this.#server = Math.floor(parts.random() * parts.servers.length);
  }

  get state(): 'new' | 'connecting' | 'connected' | 'closed' {
    return this.#state;
  }

  /** 0n before the first. */
  get id(): bigint {
    return this.#id;
  }

  /** Names the present connection: another one, another object. */
  get connection(): object | undefined {
    return this.#connection;
  }

  get lastFailure(): FlotillaError | undefined {
    return this.#lastFailure;
  }

  start(): void {
    this.#state = 'connecting';
    this.#lostAt = this.#parts.clock.now();
    this.#armTick();
    this.#open();
  }

  send(frame: Buffer): void {
    this.#connection?.send(frame);
  }

  /** The present connection is of no use. */
  drop(reason: FlotillaError): void {
    this.#connection?.close();
    this.#lost(reason);
  }

  close(): void {
    this.#state = 'closed';
    this.#tick?.cancel();
    this.#retry?.cancel();
    this.#connection?.close();
  }

  #open(): void {
    const { servers, clock, tls } = this.#parts;
    const server = servers[this.#server % servers.length];
    if (this.#state === 'closed' || !server) return;
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
    const { sessionTimeoutMs } = this.#parts;
    const writer = new JuteWriter().int(0).long(this.#lastZxid).int(sessionTimeoutMs).long(this.#id);
    this.send(writer.buffer(this.#password).bool(false).frame());
  }

  #receive(reader: JuteReader): void {
    this.#heardAt = this.#parts.clock.now();
    if (this.#handshake === 'asked') this.#welcome(reader);
    else this.#answered(reader);
  }

  #welcome(reader: JuteReader): void {
    reader.int(); // protocol
    const sessionMs = reader.int();
    const id = reader.long();
    const password = reader.buffer();
    this.#handshake = 'done';
    if (sessionMs <= 0) {
      this.#expire();
      this.#failures = 0;
      this.drop(new FlotillaError('CONNECTION_LOST', 'ZooKeeper ended the session: it had expired'));
      return;
    }
    const isNew = id !== this.#id;
    this.#sessionMs = sessionMs;
    this.#id = id;
    this.#password = password;
    this.#failures = 0;
    this.#state = 'connected';
    this.#authenticate();
    this.#parts.listener.connected(isNew);
  }

  #authenticate(): void {
    const { user } = this.#parts;
    if (!user) return;
    const password = typeof user.password === 'string' ? user.password : user.password.reveal();
    const writer = new JuteWriter().int(xid.auth).int(op.auth).int(0).text('digest');
    this.send(writer.buffer(Buffer.from(`${user.name}:${password}`)).frame());
  }

  #answered(reader: JuteReader): void {
    const { listener } = this.#parts;
    const id = reader.int();
    const zxid = reader.long();
    const code = reader.int();
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    if (id === xid.ping) return;
    if (id === xid.notification) listener.notified(reader);
    else if (id !== xid.auth) listener.answered(id, Number(zxid), code, reader);
    else if (code !== 0) this.drop(refusal(zookeeperCode.authFailed, "take this client's user"));
  }

  #lost(reason: FlotillaError): void {
    if (this.#state === 'closed') return;
    const { clock, random, servers, listener } = this.#parts;
    const was = this.#state === 'connected' ? 'connected' : 'connecting';
    this.#connection = undefined;
    this.#lastFailure = reason;
    this.#state = 'connecting';
    if (was === 'connected') this.#lostAt = clock.now();
    listener.lost(reason, was);
    // A server that has seen less than we have hangs up at once. If all do, for longer than the session can have lived,
    // they were set up anew, and what we saw is no more.
    const refusedLong = this.#handshake === 'asked' && clock.now() - this.#lostAt > 2 * this.#sessionMs;
    if (refusedLong && this.#lastZxid > 0n) {
      this.#lastZxid = 0n;
      this.#expire();
    }
    this.#server = (this.#server + 1) % servers.length;
    const round = Math.floor(this.#failures++ / servers.length);
    const waitMs = Math.min(longestWaitMs, shortestWaitMs * 2 ** Math.min(round, 10)) * (0.5 + random() / 2);
    this.#retry = clock.setTimer(this.#failures === 1 ? 0 : waitMs, () => this.#open());
  }

  #expire(): void {
    const was = this.#id;
    this.#id = 0n;
    this.#password = noPassword;
    if (was !== 0n) this.#parts.listener.expired();
  }

  #armTick(): void {
    const { clock, requestTimeoutMs } = this.#parts;
    const everyMs = Math.max(20, Math.min(this.#sessionMs / 6, requestTimeoutMs / 4));
    this.#tick = clock.setTimer(everyMs, () => {
      this.#housekeep(clock.now());
      if (this.#state !== 'closed') this.#armTick();
    });
  }

  #housekeep(now: number): void {
    const { requestTimeoutMs, listener, firstDeadline } = this.#parts;
    listener.ticked(now, this.#lastFailure?.detail ?? 'no server answered');
    const silentMs = now - this.#heardAt;
    if (firstDeadline() <= now && silentMs >= Math.min(requestTimeoutMs, this.#sessionMs / 3)) {
      const detail = `ZooKeeper did not answer within ${requestTimeoutMs} ms`;
      this.drop(new FlotillaError('DEADLINE_EXCEEDED', detail));
    } else if (this.#connection && silentMs >= (this.#sessionMs * 2) / 3) {
      const detail = `ZooKeeper said nothing for ${Math.round(silentMs)} ms`;
      this.drop(new FlotillaError('CONNECTION_LOST', detail));
    } else if (
      this.#state === 'connected' &&
      now - Math.max(this.#pingedAt, this.#heardAt) >= this.#sessionMs / 3 - 1
    ) {
      this.#pingedAt = now;
      this.send(new JuteWriter().int(xid.ping).int(op.ping).frame());
    }
  }
}
