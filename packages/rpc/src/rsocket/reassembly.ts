import { FlotillaError } from '@flotilla/core';
import { messageTooLong } from './limits.ts';
import type { PayloadView } from './payload-view.ts';

/** Room that all messages of a connection which have come in part share. */
export interface PartialBudget {
  readonly maxPayloadBytes: number;
  readonly maxPartialBytes: number;
  /** Bytes that they hold now. */
  partialBytes: number;
}

/** Room that requests which have come in part share over all connections. */
export interface PartialRoom {
  readonly maxBytes: number;
  /** Bytes that they hold now. */
  bytes: number;
}

/** That of the process: however many connect, and send what never ends, the rest of its memory is for its work. */
export const processRoom: PartialRoom = { maxBytes: 268_435_456, bytes: 0 };

/** From here on a copy would hold up other calls for milliseconds. */
const largeBytes = 1_000_000;

/** The longest buffer that is kept for the next long message. */
const keptBytes = 16_777_216;

/**
 * One buffer of the process for long messages: what came in it is over with the callback that got it. Without it each of
 * them costs fresh pages, and megabytes that press V8 to collect garbage.
 */
let spare: Buffer | undefined;

/**
 * A message that comes in fragments: all its metadata, then all its data, in one buffer that grows with what has come.
 */
export class Reassembly {
  /** When its last fragment came, on the connection's clock, as far as a sweep has seen. */
  touchedAt: number | undefined;
  readonly #budget: PartialBudget;
  readonly #room: PartialRoom | undefined;
  #bytes: Buffer = noBytes;
  #hasMetadata = false;
  #metadataLength = 0;
  #length = 0;

  /** @param room of a request of the peer: what all connections have for them. Default: only the budget counts */
  constructor(budget: PartialBudget, room?: PartialRoom) {
    this.#budget = budget;
    this.#room = room;
  }

  /** @returns why the fragment cannot be taken, as the sender is to be told; undefined when it was */
  add(fragment: PayloadView): FlotillaError | undefined {
    const metadata = fragment.metadataEnd - fragment.metadataStart;
    if (metadata > 0 && this.#length > this.#metadataLength) {
      return new FlotillaError('MALFORMED_REQUEST', 'metadata in a fragment behind data');
    }
    const added = metadata + fragment.dataLength;
    const budget = this.#budget;
    if (this.#length + added > budget.maxPayloadBytes) return messageTooLong(budget);
    if (budget.partialBytes + added > budget.maxPartialBytes) {
      const detail = `unfinished messages of more than ${budget.maxPartialBytes} bytes in all (maxPartialBytes)`;
      return new FlotillaError('UNAVAILABLE', detail);
    }
    const room = this.#room;
    if (room) {
      const most = Math.max(room.maxBytes, budget.maxPartialBytes);
      if (room.bytes + added > most) {
        const detail = `unfinished requests of more than ${most} bytes over all connections`;
        return new FlotillaError('UNAVAILABLE', detail);
      }
      room.bytes += added;
    }
    budget.partialBytes += added;
    this.touchedAt = undefined;
    this.#hasMetadata ||= fragment.hasMetadata;
    this.#append(fragment.bytes, fragment.metadataStart, fragment.metadataEnd);
    this.#metadataLength += metadata;
    this.#append(fragment.bytes, fragment.dataStart, fragment.dataEnd);
    return undefined;
  }

  /** The last fragment has been added: lets `view` show the whole. */
  finish(view: PayloadView): PayloadView {
    view.bytes = this.#bytes;
    view.hasMetadata = this.#hasMetadata;
    view.metadataStart = 0;
    view.metadataEnd = this.#metadataLength;
    view.dataStart = this.#metadataLength;
    view.dataEnd = this.#length;
    return view;
  }

  /** Gives back its part of the budget, and its buffer: whoever got the message is done with it. */
  release(): void {
    this.#budget.partialBytes -= this.#length;
    if (this.#room) this.#room.bytes -= this.#length;
    this.#length = 0;
    if (this.#bytes.length >= largeBytes && this.#bytes.length <= keptBytes) spare ??= this.#bytes;
    this.#bytes = noBytes;
  }

  #append(source: Buffer, from: number, to: number): void {
    const needed = this.#length + to - from;
    if (needed > this.#bytes.length) {
      // Room that is never written to is never resident: so it grows by more than it has to, and little is copied at once.
      const factor = this.#length >= largeBytes ? 16 : 4;
      const room = Math.max(needed, Math.min(factor * this.#bytes.length, this.#budget.maxPayloadBytes));
      const grown = takeSpare(room) ?? Buffer.allocUnsafeSlow(room);
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    source.copy(this.#bytes, this.#length, from, to);
    this.#length = needed;
  }
}

function takeSpare(room: number): Buffer | undefined {
  if (room < largeBytes || !spare || spare.length < room) return undefined;
  const taken = spare;
  spare = undefined;
  return taken;
}

const noBytes = Buffer.alloc(0);
