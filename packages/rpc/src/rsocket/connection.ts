import { type Clock, FlotillaError, toFlotillaError } from '@flotilla/core';
import { drainNotice, isAnnounced } from './announcement.ts';
import type { ByteChannel, ByteListener } from './byte-channel.ts';
import { completeSetup } from './client-setup.ts';
import type {
  ClientConnectionOptions,
  ConnectionEvents,
  ConnectionOptions,
  ServerConnectionOptions,
} from './connection-options.ts';
import { Control, oddFrame } from './control.ts';
import { Drain } from './drain.ts';
import { frameFlag, frameType, rsocketError } from './frame.ts';
import { type FrameSink, FrameSplitter } from './frame-splitter.ts';
import { FrameView } from './frame-view.ts';
import { LeaseGranter, LeaseHolder } from './leases.ts';
import { type RSocketLimits, rsocketDefaults, takingMessagesOf } from './limits.ts';
import { Link } from './link.ts';
import type { Sendable } from './out-buffer.ts';
import type { RSocketPeer } from './peer.ts';
import { Requester } from './requester.ts';
import type { RSocketReceiver } from './requester-port.ts';
import type { RequesterStream } from './requester-stream.ts';
import { Responder } from './responder.ts';
import { Sender } from './sender.ts';
import { readSetup, type Setup, writeSetup } from './setup.ts';
import { Supervision } from './supervision.ts';

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
  readonly #control: Control;
  readonly #supervision: Supervision;
  readonly #splitter: FrameSplitter;
  readonly #view = new FrameView();
  /** Undefined on the side that connected. */
  readonly #server: ServerConnectionOptions | undefined;
  #state: ConnectionState;
  #setup: Setup | undefined;
  #peerIsOurs = false;
  #reason: FlotillaError | undefined;
  /** Is there anybody who answers the peer? */
  readonly #answers: boolean;
  #drain: Drain | undefined;
  #framesSeen = false;
  #anySeen = false;
  #paused = false;

  private constructor(
    options: ConnectionOptions,
    server: ServerConnectionOptions | undefined,
    setup: Setup | undefined,
  ) {
    const { channel, clock, events = {}, responder } = options;
    const limits = takingMessagesOf(options.limits ?? rsocketDefaults, server?.maxPayloadBytes);
    this.#channel = channel;
    this.#clock = clock;
    this.#limits = limits;
    this.#events = events;
    this.#server = server;
    this.#answers = responder !== undefined;
    this.#setup = setup;
    this.#state = server ? 'setup' : 'open';
    const sender = new Sender(channel, limits, clock);
    const link = new Link(sender, limits, () => this.#drain?.look(), options.room);
    this.#sender = sender;
    this.#link = link;
    this.#requester = new Requester(link, server ? 2 : 1);
    this.#responder = new Responder(link, server ? 1 : 2, responder ?? {}, (error) => this.#fault(error));
    this.#control = new Control({
      clock,
      link,
      isServer: server !== undefined,
      pushed: (metadata) => events.metadataPush?.(metadata),
      peerDrains: () => this.#peerDrains(),
      over: (reason) => this.#end(reason),
    });
    const keepalive = (): void => this.#control.sendKeepalive(frameFlag.respond, noBytes);
    const sweep = (now: number): void => this.#sweep(now);
    const lost = (detail: string): void => this.#end(new FlotillaError('CONNECTION_LOST', detail));
    this.#splitter = new FrameSplitter(limits.maxFrameBytes);
    const unfinished = (): number => this.#splitter.pendingBytes;
    const supervised = { clock, limits, channel, sender, keepalive, unfinished, sweep, lost };
    this.#supervision = new Supervision(supervised, setup);
    channel.listen(this);
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
    return this.#state !== 'setup' && !this.draining && !this.#sender.congested;
  }

  /** Will no request be sent any more, because either side drains or it is over? */
  get draining(): boolean {
    return this.#requester.refusing !== undefined;
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

  /** Has any frame come from the peer? */
  get heard(): boolean {
    return this.#anySeen;
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
      const reason = new FlotillaError('UNAVAILABLE', 'this instance is draining and takes no connections');
      this.#end(reason, rsocketError.REJECTED_SETUP, reason.detail);
    }
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#requester.refuse(new FlotillaError('UNAVAILABLE', 'this connection is being closed'));
    this.#responder.refuse('draining: this instance takes no more requests');
    if (this.#peerIsOurs) this.metadataPush(drainNotice);
    this.#drain = new Drain({
      clock: this.#clock,
      quietMs: this.#answers ? 100 : 0,
      isDone: () => this.#requester.size === 0 && this.#responder.size === 0,
      refused: () => this.#responder.refused,
      whenSent: (run) => this.#sender.whenIdle(run),
      close: () => this.#end(new FlotillaError('UNAVAILABLE', 'the connection was drained'), 'drained'),
    });
  }

  close(reason: FlotillaError = new FlotillaError('CONNECTION_LOST', 'the connection was closed on this side')): void {
    this.#end(reason, rsocketError.CONNECTION_ERROR, reason.detail);
  }

  /** Of the channel. */
  received(bytes: Buffer): void {
    if (this.#state === 'closed') return;
    if (!this.#anySeen && isHttp(bytes)) {
      this.#end(new FlotillaError('CONNECT_FAILED', answeredInHttp(bytes)));
      return;
    }
    this.#splitter.push(bytes, this);
    if (this.#framesSeen) {
      this.#framesSeen = false;
      this.#anySeen = true;
      this.#supervision.seen();
    }
    if (this.#responder.asked || this.#control.asked) this.#holdIfCongested();
  }

  /** Of the channel. */
  drained(): void {
    this.#sender.drained();
  }

  /** Of the channel. */
  closed(cause?: Error): void {
    const detail = cause ? `the connection broke: ${cause.message}` : 'the peer closed the connection';
    this.#end(new FlotillaError('CONNECTION_LOST', detail, { cause }));
  }

  /** Of the splitter. */
  frame(bytes: Buffer, start: number, end: number): boolean {
    const view = this.#view;
    const problem = view.read(bytes, start, end) ?? this.#take(view);
    if (problem !== undefined) this.broken(problem);
    else this.#framesSeen = true;
    return this.#state !== 'closed';
  }

  /** Of the splitter, and of all who read frames. */
  broken(problem: string): void {
    const detail = `the connection cannot be used any more: the peer sent ${problem}`;
    const code = this.#state === 'setup' ? rsocketError.INVALID_SETUP : rsocketError.CONNECTION_ERROR;
    this.#end(new FlotillaError('CONNECTION_LOST', detail), code, problem);
  }

  #take(view: FrameView): string | undefined {
    if (this.#state === 'setup') return this.#begin(view);
    const { type, streamId } = view;
    if (streamId === 0) return this.#control.frame(view);
    if (type < frameType.requestResponse || type > frameType.error) return oddFrame(view);
    if (type === frameType.cancel) {
      const flood = this.#control.countCancel();
      if (flood !== undefined) return flood;
    }
    const isOwn = ((streamId & 1) === 0) === (this.#server !== undefined);
    try {
      if (isOwn && type > frameType.requestChannel) return this.#requester.frame(view);
      return this.#responder.frame(view);
    } catch (thrown) {
      this.#fault(toFlotillaError(thrown));
      return undefined;
    }
  }

  /** The first frame that a server gets. */
  #begin(view: FrameView): undefined {
    const setup = this.#acceptable(view);
    if (setup === undefined || this.#state !== 'setup') return;
    this.#state = 'open';
    this.#setup = setup;
    this.#peerIsOurs = isAnnounced(setup);
    this.#supervision.begin(setup);
    if (setup.lease) {
      const source = this.#server?.leases ?? { requests: () => this.#limits.maxInbound, ttlMs: 30_000 };
      this.#responder.leases = new LeaseGranter(source, this.#clock, this.#sender);
    }
    this.#events.open?.(setup);
  }

  /** @returns what the peer says of itself; undefined when it was refused */
  #acceptable(view: FrameView): Setup | undefined {
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
    return rejected ? refuse(rsocketError.REJECTED_SETUP, rejected.detail) : setup;
  }

  #peerDrains(): void {
    if (this.#requester.refusing) return;
    this.#requester.refuse(new FlotillaError('UNAVAILABLE', 'the peer is draining and takes no more requests'));
    this.#events.peerDrains?.();
  }

  #sweep(now: number): void {
    this.#sender.look(now);
    if (this.#link.partialBytes === 0) return;
    this.#requester.sweep(now, this.#limits.partialTimeoutMs);
    this.#responder.sweep(now, this.#limits.partialTimeoutMs);
  }

  /** Who does not take its answers is not read from. */
  #holdIfCongested(): void {
    this.#responder.asked = false;
    this.#control.asked = false;
    if (this.#paused || !this.#sender.congested || this.#state === 'closed') return;
    this.#paused = true;
    this.#channel.pause();
    this.#sender.whenClear(() => {
      this.#paused = false;
      if (this.#state !== 'closed') this.#channel.resume();
    });
  }

  #fault(error: FlotillaError): void {
    this.#events.fault?.(error);
  }

  /**
   * The one end of a connection.
   * @param told the code for the peer, in an ERROR frame; `drained`: it is told nothing, and the close is in good order;
   *   undefined: it is gone
   */
  #end(reason: FlotillaError, told?: number | 'drained', text = ''): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#reason = reason;
    this.#supervision.stop();
    this.#drain?.stop();
    this.#responder.leases?.stop();
    this.#requester.refuse(new FlotillaError(reason.code, reason.detail, { executed: 'no', cause: reason }));
    // Requests that were only gathered are told "not executed": they must not leave now.
    if (this.#requester.size > 0) this.#sender.discard();
    this.#requester.fail(reason);
    this.#responder.cancelAll(reason);
    if (typeof told === 'number') this.#sender.error(0, told, text);
    this.#sender.flush();
    this.#sender.close();
    if (told === undefined) this.#channel.destroy();
    else this.#channel.end();
    this.#events.closed?.(reason);
  }
}

const noBytes = Buffer.alloc(0);

/** Why a peer answers SETUP in HTTP: listeners refuse so whom they do not let in, whatever it speaks. */
function answeredInHttp(bytes: Buffer): string {
  const status = bytes.toString('latin1', 9, 12);
  if (status === '401')
    return 'the peer wants a client certificate, or takes not this one: see "tls.cert" and "tls.key"';
  return 'the peer speaks HTTP and not RSocket on this port';
}

/** As a frame, it would be one of 4.7 MB, for whose end nobody wants to wait. */
function isHttp(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 5) === 'HTTP/';
}
