import type { LeaseHolder } from './leases.ts';
import type { RSocketLimits } from './limits.ts';
import { PayloadView } from './payload-view.ts';
import { type PartialBudget, type PartialRoom, processRoom } from './reassembly.ts';
import type { Sender } from './sender.ts';

/** What the two directions of one connection share. */
export class Link implements PartialBudget {
  readonly sender: Sender;
  readonly limits: RSocketLimits;
  /** For requests of the peer that have come in part. */
  readonly room: PartialRoom;
  /** Shows a message that came in fragments. */
  readonly whole: PayloadView = new PayloadView();
  /** Says whether a request may be sent, where we asked for leases. */
  leases: LeaseHolder | undefined;
  partialBytes = 0;
  readonly #ended: () => void;

  constructor(sender: Sender, limits: RSocketLimits, ended: () => void, room: PartialRoom = processRoom) {
    this.sender = sender;
    this.limits = limits;
    this.room = room;
    this.#ended = ended;
  }

  get maxPayloadBytes(): number {
    return this.limits.maxPayloadBytes;
  }

  get maxPartialBytes(): number {
    return this.limits.maxPartialBytes;
  }

  /** A stream is over: a connection that drains may be done now. */
  streamEnded(): void {
    this.#ended();
  }
}
