import { type Clock, FlotillaError, type Timer, toFlotillaError } from '@flotilla/core';
import { announcement, drainMime, drainNotice, hasEntry, isAnnounced } from './announcement.ts';
import type { ByteChannel, ByteListener } from './byte-channel.ts';
import {
  type ClientConnectionOptions,
  type ConnectionEvents,
  type ConnectionOptions,
  type ServerConnectionOptions,
  setupDefaults,
} from './connection-options.ts';
import { frameFlag, frameType, rsocketError } from './frame.ts';
import { type FrameSink, FrameSplitter } from './frame-splitter.ts';
import { FrameView } from './frame-view.ts';
import { LeaseGranter, LeaseHolder } from './leases.ts';
import { type RSocketLimits, rsocketDefaults } from './limits.ts';
import { Link } from './link.ts';
import { compositeMime } from './mime.ts';
import { OutBuffer, type Sendable } from './out-buffer.ts';
import type { RSocketPeer } from './peer.ts';
import { Pulse } from './pulse.ts';
import { Rate } from './rate.ts';
import { Requester } from './requester.ts';
import type { RSocketReceiver } from './requester-port.ts';
import type { RequesterStream } from './requester-stream.ts';
import { Responder } from './responder.ts';
import { Sender } from './sender.ts';
import { readSetup, type Setup, writeSetup } from './setup.ts';
import { errorOfFrame } from './wire-errors.ts';

/** Where a connection stands; see {@link RSocketConnection}. */
export type ConnectionState = 'setup' | 'open' | 'draining' | 'closed';

/**
 * One side of an RSocket connection. Both sides may ask and answer.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | `setup` (server): SETUP has not come | nothing; ends after `setupTimeoutMs` | `open`, `closed` |
 * | `open` | requests both ways | `draining`, `closed` |
 * | `draining`: by {@link drain} | what is in hand; the peer's new requests are REJECTED, own ones throw | `closed` |
 * | `closed` | nothing | none |
 *
 * A peer that drains leaves this side `open`: it answers, but {@link takesRequests} is false.
 */
export class RSocketConnection implements RSocketPeer, ByteListener, FrameSink {
  readonly #channel: ByteChannel;
  readonly #clock: Clock;
  readonly #limits: RSocketLimits;
  readonly #events: ConnectionEvents;
  readonly #sender: Sender;
  readonly #link: Link;
  readonly #requester: Requester;
  readonly #responder: Responder;
  readonly #splitter: FrameSplitter;
  readonly #view = new FrameView();
  readonly #server: ServerConnectionOptions | undefined;
  readonly #keepalives: Rate;
  readonly #cancels: Rate;
  readonly #beganAt: number;
  #state: ConnectionState;
  #setup: Setup | undefined;
  #peerIsOurs = false;
  #reason: FlotillaError | undefined;
  #pulse: Pulse;
  #framesSeen = false;
  #paused = false;
  #drainTimer: Timer | undefined;
  #stalled: { handed: number; queued: number; since: number } | undefined;

  private constructor(
    options: ConnectionOptions,
    server: ServerConnectionOptions | undefined,
    setup: Setup | undefined,
  ) {
    this.#channel = options.channel;
    this.#clock = options.clock;
    this.#limits = options.limits ?? rsocketDefaults;
    this.#events = options.events ?? {};
    this.#server = server;
    this.#setup = setup;
    this.#state = server ? 'setup' : 'open';
    this.#sender = new Sender(options.channel, this.#limits);
    this.#link = new Link(this.#sender, this.#limits, () => this.#drainedWork());
    this.#requester = new Requester(this.#link, server ? 2 : 1);
    this.#responder = new Responder(this.#link, server ? 1 : 2, options.responder ?? {}, (error) => this.#fault(error));
    this.#splitter = new FrameSplitter(this.#limits.maxFrameBytes);
    this.#keepalives = new Rate(this.#limits.maxKeepalivesPerSecond);
    this.#cancels = new Rate(this.#limits.maxCancelsPerSecond);
    this.#beganAt = this.#clock.now();
    this.#pulse = this.#startPulse(setup);
    options.channel.listen(this);
  }

  /** The side that connected: sends SETUP; requests may follow at once. */
  static client(options: ClientConnectionOptions): RSocketConnection {
    const setup = completeSetup(options.setup);
    const connection = new RSocketConnection(options, undefined, setup);
    writeSetup(connection.#sender, setup);
    if (setup.lease) connection.#link.leases = new LeaseHolder(options.clock);
    options.events?.open?.(setup);
    return connection;
  }

  /** The side that was connected to: waits for SETUP. */
  static server(options: ServerConnectionOptions): RSocketConnection {
    return new RSocketConnection(options, options, undefined);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get takesRequests(): boolean {
    return this.#state === 'open' && this.#requester.refusing === undefined && !this.#sender.congested;
  }

  get outstanding(): number {
    return this.#requester.size;
  }

  /** Requests of the peer in hand. */
  get inFlight(): number {
    return this.#responder.size;
  }

  /** Bytes that wait for the peer to take them. */
  get queuedBytes(): number {
    return this.#sender.queuedBytes + this.#sender.bulkBytes;
  }

  /** What the client said of itself; undefined before SETUP came. */
  get setup(): Setup | undefined {
    return this.#setup;
  }

  /** Did the peer announce itself as one of ours? Known to a server. */
  get peerIsOurs(): boolean {
    return this.#peerIsOurs;
  }

  /** Why it closed. */
  get reason(): FlotillaError | undefined {
    return this.#reason;
  }

  /** Leases of the peer, where we asked for them. */
  get leases(): LeaseHolder | undefined {
    return this.#link.leases;
  }

  requestResponse(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    receiver: RSocketReceiver,
  ): RequesterStream {
    return this.#requester.requestResponse(metadata, data, receiver);
  }

  fireAndForget(metadata: Sendable | undefined, data: Sendable | undefined): void {
    this.#requester.fireAndForget(metadata, data);
  }

  requestStream(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    initialN: number,
    receiver: RSocketReceiver,
  ): RequesterStream {
    return this.#requester.requestStream(metadata, data, initialN, receiver);
  }

  requestChannel(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    initialN: number,
    receiver: RSocketReceiver,
    isLast = false,
  ): RequesterStream {
    return this.#requester.requestChannel(metadata, data, initialN, receiver, isLast);
  }

  metadataPush(metadata: Sendable): void {
    if (this.#state === 'closed') return;
    const start = this.#sender.begin(0, frameType.metadataPush, frameFlag.metadata);
    this.#sender.out.send(metadata);
    this.#sender.end(start);
  }

  /**
   * Takes no more requests: tells a peer that is one of ours, answers further ones with REJECTED, lets those in hand
   * end, in both directions, then closes. Who never ends is cut by the caller's deadline: {@link close}.
   */
  drain(): void {
    if (this.#state === 'setup') {
      this.close(new FlotillaError('UNAVAILABLE', 'the connection was given up before it began'));
      return;
    }
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#requester.refuse(new FlotillaError('UNAVAILABLE', 'this connection is being closed'));
    this.#responder.refuse('draining: this instance takes no more requests');
    if (this.#peerIsOurs) this.metadataPush(drainNotice);
    this.#drainedWork();
  }

  close(reason: FlotillaError = new FlotillaError('CONNECTION_LOST', 'the connection was closed on this side')): void {
    this.#end(reason, rsocketError.CONNECTION_ERROR, reason.detail);
  }

  /** Of the channel. */
  received(bytes: Buffer): void {
    if (this.#state === 'closed') return;
    this.#splitter.push(bytes, this);
    if (this.#framesSeen) {
      this.#framesSeen = false;
      this.#pulse.seen(this.#clock.now());
    }
    if (this.#responder.asked) this.#holdIfCongested();
  }

  /** Of the channel. */
  drained(): void {
    this.#stalled = undefined;
    this.#sender.drained();
  }

  /** Of the channel. */
  closed(cause?: Error): void {
    const detail = cause ? `the connection broke: ${cause.message}` : 'the peer closed the connection';
    this.#end(new FlotillaError('CONNECTION_LOST', detail, { cause }), undefined, '');
  }

  /** Of the splitter. */
  frame(bytes: Buffer, start: number, end: number): boolean {
    const view = this.#view;
    const problem = view.read(bytes, start, end) ?? this.#take(view);
    if (problem !== undefined) this.#protocolError(problem);
    else this.#framesSeen = true;
    return this.#state !== 'closed';
  }

  /** Of the splitter. */
  broken(reason: string): void {
    this.#protocolError(reason);
  }

  #take(view: FrameView): string | undefined {
    if (this.#state === 'setup') return this.#begin(view);
    if (view.streamId === 0) return this.#connectionFrame(view);
    const { type } = view;
    if (type < frameType.requestResponse || type > frameType.error) return this.#odd(view);
    if (type === frameType.cancel && !this.#cancels.count(this.#clock.now())) {
      return `more than ${this.#limits.maxCancelsPerSecond} CANCEL frames within a second (maxCancelsPerSecond)`;
    }
    const isOwn = ((view.streamId & 1) === 0) === (this.#server !== undefined);
    const isRequest = type <= frameType.requestChannel;
    try {
      return isOwn && !isRequest ? this.#requester.frame(view) : this.#responder.frame(view);
    } catch (thrown) {
      this.#fault(toFlotillaError(thrown));
      return undefined;
    }
  }

  /** A frame on a stream whose type belongs to none. */
  #odd(view: FrameView): string | undefined {
    if (view.type === frameType.extension || view.has(frameFlag.ignore)) return undefined;
    return `a frame of type 0x${view.type.toString(16)} on stream ${view.streamId}`;
  }

  #connectionFrame(view: FrameView): string | undefined {
    switch (view.type) {
      case frameType.keepalive:
        return this.#keepalive(view);
      case frameType.error:
        this.#peerError(view.number, view.dataText());
        return undefined;
      case frameType.metadataPush:
        return this.#pushed(view.metadataBytes());
      case frameType.lease:
        if (!this.#link.leases) return 'a LEASE for which nobody asked';
        this.#link.leases.granted(view.number, view.second);
        return undefined;
      case frameType.setup:
        return this.#server ? undefined : 'a SETUP from the server'; // a second one is ignored
      default:
        if (view.type === frameType.extension || view.has(frameFlag.ignore)) return undefined;
        return `a frame of type 0x${view.type.toString(16)} on stream 0`;
    }
  }

  /** The first frame that a server gets. */
  #begin(view: FrameView): string | undefined {
    const refuse = (code: number, text: string): undefined => {
      this.#end(new FlotillaError('MALFORMED_REQUEST', `the peer's SETUP was refused: ${text}`), code, text);
    };
    if (view.type === frameType.resume) return refuse(rsocketError.REJECTED_RESUME, 'resume is not supported');
    if (view.type !== frameType.setup || view.streamId !== 0) {
      return refuse(rsocketError.INVALID_SETUP, 'the first frame must be SETUP on stream 0');
    }
    const setup = readSetup(view);
    if ('kind' in setup) return refuse(rsocketError[setup.kind], setup.text);
    const rejected = this.#server?.accept?.(setup, this);
    if (rejected) return refuse(rsocketError.REJECTED_SETUP, rejected.detail);
    if (this.#state !== 'setup') return undefined; // closed meanwhile
    this.#state = 'open';
    this.#setup = setup;
    this.#peerIsOurs = isAnnounced(setup);
    this.#pulse.stop();
    this.#pulse = this.#startPulse(setup);
    if (setup.lease) {
      const source = this.#server?.leases ?? { requests: () => this.#limits.maxInbound, ttlMs: 30_000 };
      this.#responder.leases = new LeaseGranter(source, this.#clock, this.#sender);
    }
    this.#events.open?.(setup);
    return undefined;
  }

  #keepalive(view: FrameView): string | undefined {
    if (!view.has(frameFlag.respond)) return undefined;
    if (!this.#keepalives.count(this.#clock.now())) {
      return `more than ${this.#limits.maxKeepalivesPerSecond} KEEPALIVE frames within a second (maxKeepalivesPerSecond)`;
    }
    this.#sendKeepalive(0, view.dataBytes());
    return undefined;
  }

  #sendKeepalive(flags: number, data: Uint8Array): void {
    const start = this.#sender.begin(0, frameType.keepalive, flags);
    this.#sender.out.u32(0); // a position: only resume has one
    this.#sender.out.u32(0);
    this.#sender.out.raw(data);
    this.#sender.end(start);
  }

  #pushed(metadata: Buffer): string | undefined {
    if (!this.#cancels.count(this.#clock.now())) return 'a flood of METADATA_PUSH frames (maxCancelsPerSecond)';
    if (hasEntry(metadata, drainMime)) this.#peerDrains();
    else this.#events.metadataPush?.(metadata);
    return undefined;
  }

  #peerDrains(): void {
    if (this.#requester.refusing) return;
    this.#requester.refuse(new FlotillaError('UNAVAILABLE', 'the peer is draining and takes no more requests'));
    this.#events.peerDrains?.();
  }

  /** ERROR on stream 0. */
  #peerError(code: number, text: string): void {
    if (code === rsocketError.CONNECTION_CLOSE) {
      this.#peerDrains(); // what is in hand goes on
      return;
    }
    const error = errorOfFrame(code, text);
    const isKnown = code < rsocketError.CONNECTION_CLOSE;
    this.#end(isKnown ? error : errorOfFrame(rsocketError.CONNECTION_ERROR, text), undefined, '');
  }

  #protocolError(problem: string): void {
    const detail = `the connection cannot be used any more: the peer sent ${problem}`;
    const code = this.#state === 'setup' ? rsocketError.INVALID_SETUP : rsocketError.CONNECTION_ERROR;
    this.#end(new FlotillaError('CONNECTION_LOST', detail), code, problem);
  }

  /** Who does not take its answers is not read from. */
  #holdIfCongested(): void {
    this.#responder.asked = false;
    if (this.#paused || !this.#sender.congested || this.#state === 'closed') return;
    this.#paused = true;
    this.#channel.pause();
    this.#sender.whenClear(() => {
      this.#paused = false;
      if (this.#state !== 'closed') this.#channel.resume();
    });
  }

  #startPulse(setup: Setup | undefined): Pulse {
    const { setupTimeoutMs } = this.#limits;
    const isSupervised = setup !== undefined && setup.keepaliveMs > 0 && setup.lifetimeMs > 0;
    return new Pulse({
      clock: this.#clock,
      intervalMs: isSupervised ? Math.max(setup.keepaliveMs, 20) : setup ? 5_000 : setupTimeoutMs,
      lifetimeMs: isSupervised ? Math.max(setup.lifetimeMs, 20) : Infinity,
      beat: (now) => this.#beat(now, isSupervised),
      lost: (silentMs) => this.#silent(silentMs),
    });
  }

  #beat(now: number, isSupervised: boolean): void {
    const { setupTimeoutMs, writeStallMs, partialTimeoutMs } = this.#limits;
    if (this.#state === 'setup') {
      if (now - this.#beganAt >= setupTimeoutMs) this.#silent(now - this.#beganAt);
      return;
    }
    if (isSupervised) this.#sendKeepalive(frameFlag.respond, noBytes);
    if (this.#link.partialBytes > 0) {
      this.#requester.sweep(now, partialTimeoutMs);
      this.#responder.sweep(now, partialTimeoutMs);
    }
    this.#watchWrites(now, writeStallMs);
  }

  /** Has the peer taken anything since the last look? */
  #watchWrites(now: number, writeStallMs: number): void {
    const queued = this.#channel.queuedBytes;
    if (queued === 0) {
      this.#stalled = undefined;
      return;
    }
    const { handed } = this.#sender;
    if (!this.#stalled || this.#stalled.handed !== handed || this.#stalled.queued !== queued) {
      this.#stalled = { handed, queued, since: now };
    } else if (now - this.#stalled.since >= writeStallMs) {
      const detail = `the peer took no byte within ${writeStallMs} ms (writeStallMs)`;
      this.#end(new FlotillaError('CONNECTION_LOST', detail), undefined, '');
    }
  }

  #silent(silentMs: number): void {
    const detail = `nothing came from the peer for ${Math.round(silentMs)} ms`;
    this.#end(new FlotillaError('CONNECTION_LOST', detail), undefined, '');
  }

  /** While draining: is this the end of the last work in hand? */
  #drainedWork(): void {
    if (this.#state !== 'draining' || this.#drainTimer || !this.#isDone) return;
    this.#sender.whenIdle(() => {
      if (this.#state !== 'draining' || this.#drainTimer || !this.#isDone) return;
      this.#closeWhenQuiet(this.#clock.now() + longestQuietMs);
    });
  }

  get #isDone(): boolean {
    return this.#requester.size === 0 && this.#responder.size === 0;
  }

  /** A request may be on its way that was sent before the peer heard of the drain: it still gets its REJECTED. */
  #closeWhenQuiet(until: number): void {
    const before = this.#responder.refused;
    this.#drainTimer = this.#clock.setTimer(drainQuietMs, () => {
      this.#drainTimer = undefined;
      if (this.#state !== 'draining') return;
      if (this.#responder.refused !== before && this.#clock.now() < until) this.#closeWhenQuiet(until);
      else this.#end(new FlotillaError('UNAVAILABLE', 'the connection was drained'), undefined, '', 'end');
    });
  }

  #fault(error: FlotillaError): void {
    this.#events.fault?.(error);
  }

  /**
   * The one end of a connection.
   * @param code for the peer, in an ERROR frame; undefined: it is told nothing
   */
  #end(reason: FlotillaError, code: number | undefined, text: string, how: 'end' | 'destroy' = 'destroy'): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#reason = reason;
    this.#requester.refuse(new FlotillaError(reason.code, reason.detail, { executed: 'no', cause: reason }));
    this.#pulse.stop();
    this.#responder.leases?.stop();
    this.#drainTimer?.cancel();
    // Requests that were only gathered are told "not executed": they must not leave now.
    if (this.#requester.size > 0) this.#sender.discard();
    this.#requester.fail(reason);
    this.#responder.cancelAll(reason);
    if (code !== undefined) this.#sender.error(0, code, text);
    this.#sender.flush();
    this.#sender.close();
    if (code !== undefined || how === 'end') this.#channel.end();
    else this.#channel.destroy();
    this.#events.closed?.(reason);
  }
}

const noBytes = Buffer.alloc(0);
/** A drained connection closes when no request has come for this long: longer than a notice takes to its peer. */
const drainQuietMs = 100;
/** A peer that goes on asking nevertheless is cut off. */
const longestQuietMs = 1_000;

function completeSetup(given: ClientConnectionOptions['setup'] = {}): Setup {
  const metadataMime = given.metadataMime ?? setupDefaults.metadataMime;
  const out = new OutBuffer(Buffer.alloc(64));
  if (metadataMime === compositeMime.text) announcement.writeTo(out);
  if (given.metadata) out.raw(given.metadata);
  return {
    keepaliveMs: given.keepaliveMs ?? setupDefaults.keepaliveMs,
    lifetimeMs: given.lifetimeMs ?? setupDefaults.lifetimeMs,
    metadataMime,
    dataMime: given.dataMime ?? setupDefaults.dataMime,
    lease: given.lease ?? false,
    metadata: out.bytes.subarray(0, out.length),
    data: given.data ?? noBytes,
  };
}
