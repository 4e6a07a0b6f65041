import type { Clock, FlotillaError } from '@flotilla/core';
import { drainMime, hasEntry } from './announcement.ts';
import { frameFlag, frameType, rsocketError } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import type { Link } from './link.ts';
import { Rate } from './rate.ts';
import { errorOfFrame } from './wire-errors.ts';

/** Data of a KEEPALIVE: peers put a few bytes in it, if any. */
const longestEcho = 1_024;

/** What {@link Control} needs. */
export interface ControlOptions {
  readonly clock: Clock;
  readonly link: Link;
  readonly isServer: boolean;
  /** Metadata of a METADATA_PUSH that is not the engine's own. */
  readonly pushed: (metadata: Buffer) => void;
  /** The peer takes no more requests. */
  readonly peerDrains: () => void;
  /** The peer says that the connection is over. */
  readonly over: (reason: FlotillaError) => void;
}

/** The frames that concern the connection: those of stream 0, and what is counted against floods. */
export class Control {
  readonly #options: ControlOptions;
  readonly #keepalives: Rate;
  readonly #cancels: Rate;
  /** The peer asked for signs of life since somebody last looked. */
  asked = false;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { limits } = options.link;
    this.#keepalives = new Rate(limits.maxKeepalivesPerSecond);
    this.#cancels = new Rate(limits.maxCancelsPerSecond);
  }

  /** A frame of stream 0, behind SETUP. @returns what makes the connection unusable */
  frame(frame: FrameView): string | undefined {
    switch (frame.type) {
      case frameType.keepalive:
        return this.#keepalive(frame);
      case frameType.error:
        this.#error(frame.number, frame.dataText());
        return undefined;
      case frameType.metadataPush:
        return this.#metadataPush(frame.metadataBytes());
      case frameType.lease:
        return this.#lease(frame);
      case frameType.setup:
        return this.#options.isServer ? undefined : 'a SETUP from the server'; // a second one is ignored
      case frameType.cancel:
      case frameType.requestN:
        return undefined; // as of any stream that is not known
      default:
        return oddFrame(frame);
    }
  }

  /** A CANCEL, of any stream. @returns what makes the connection unusable */
  countCancel(): string | undefined {
    if (this.#cancels.count(this.#options.clock.now())) return undefined;
    const { maxCancelsPerSecond } = this.#options.link.limits;
    return `more than ${maxCancelsPerSecond} frames CANCEL or METADATA_PUSH within a second (maxCancelsPerSecond)`;
  }

  /** Asks for a sign of life, or gives one with the data that came. */
  sendKeepalive(flags: number, data: Uint8Array): void {
    const { sender } = this.#options.link;
    const start = sender.begin(0, frameType.keepalive, flags);
    sender.out.u32(0); // a position: only resume has one
    sender.out.u32(0);
    sender.out.raw(data);
    sender.end(start);
  }

  #keepalive(frame: FrameView): string | undefined {
    if (!frame.has(frameFlag.respond)) {
      this.#options.link.sender.echoed(frame.dataBytes());
      return undefined;
    }
    if (!this.#keepalives.count(this.#options.clock.now())) {
      const { maxKeepalivesPerSecond } = this.#options.link.limits;
      return `more than ${maxKeepalivesPerSecond} KEEPALIVE frames within a second (maxKeepalivesPerSecond)`;
    }
    const data = frame.dataBytes();
    if (data.length > longestEcho)
      return `a KEEPALIVE with ${data.length} bytes to be sent back: at most ${longestEcho}`;
    this.asked = true;
    this.sendKeepalive(0, data);
    return undefined;
  }

  #metadataPush(metadata: Buffer): string | undefined {
    const flood = this.countCancel();
    if (flood !== undefined) return flood;
    if (hasEntry(metadata, drainMime)) this.#options.peerDrains();
    else this.#options.pushed(metadata);
    return undefined;
  }

  #lease(frame: FrameView): string | undefined {
    const { leases } = this.#options.link;
    if (!leases) return 'a LEASE for which nobody asked';
    leases.granted(frame.number, frame.second);
    return undefined;
  }

  /** A code that is none of a connection's is CONNECTION_ERROR. With CONNECTION_CLOSE, what is in hand goes on. */
  #error(code: number, text: string): void {
    if (code === rsocketError.CONNECTION_CLOSE) this.#options.peerDrains();
    else this.#options.over(errorOfFrame(code < 0x200 ? code : rsocketError.CONNECTION_ERROR, text));
  }
}

/** A frame of a type that has no business on its stream. EXT is passed over, as everything that says it may be. */
export function oddFrame(frame: FrameView): string | undefined {
  if (frame.type === frameType.extension || frame.has(frameFlag.ignore)) return undefined;
  return `a frame of type 0x${frame.type.toString(16)} on stream ${frame.streamId}`;
}
