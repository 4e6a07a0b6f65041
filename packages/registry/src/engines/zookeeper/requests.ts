import { FlotillaError } from '@flotilla/core';
import { type JuteReader, JuteWriter } from './jute.ts';
import { refusal } from './protocol.ts';

/** One request, until it has its answer. */
export interface Request {
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
const maxOpen = 200_000;

/**
 * Requests without an answer.
 *
 * | state of one | exits |
 * |---|---|
 * | waiting for a connection, in the order of their deadlines | sent; its deadline passed → rejected, certainly not done |
 * | sent; a server answers in this order | answered; the connection broke → waiting if it only reads, else rejected with an unknown outcome |
 */
export class Requests {
  #waiting: Request[] = [];
  readonly #sent = new Map<number, Request>();
  #xid = 0;

  /** @throws FlotillaError UNAVAILABLE when too many are open */
  assertRoom(what: string): void {
    if (this.#waiting.length + this.#sent.size < maxOpen) return;
    throw new FlotillaError('UNAVAILABLE', `cannot ${what}: ${maxOpen} requests wait already`);
  }

  /** The deadline of the one that was sent first. */
  get firstDeadline(): number {
    const [first] = this.#sent.values();
    return first?.deadline ?? Infinity;
  }

  wait(request: Request): void {
    this.#waiting.push(request);
  }

  /** @param put takes the frame. What is over the limit is rejected, not sent. */
  send(request: Request, put: (frame: Buffer) => void): void {
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
    put(frame);
  }

  /** There is a connection: everything that waits is sent. */
  sendWaiting(put: (frame: Buffer) => void): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.send(request, put);
  }

  /** @throws Error for an answer that is not due: nothing that follows on this connection can be trusted */
  answered(id: number, zxid: number, code: number, reader: JuteReader): void {
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

  /** The connection broke. With a user that is refused, another one changes nothing: then nobody waits for it. */
  lost(reason: FlotillaError): void {
    if (reason.code === 'UNAUTHENTICATED') {
      this.end(reason);
      return;
    }
    const sent = [...this.#sent.values()];
    this.#sent.clear();
    this.#waiting = [...sent.filter(({ repeatable }) => repeatable), ...this.#waiting];
    for (const request of sent) if (!request.repeatable) request.reject(unknown(request, reason));
  }

  /** Those that wait and whose time is over. @param why nobody could be asked. */
  expire(now: number, why: string): void {
    while (this.#waiting[0] && this.#waiting[0].deadline <= now) {
      const request = this.#waiting.shift();
      request?.reject(new FlotillaError('CONNECT_FAILED', `cannot ${request.what}: ${why}`, { executed: 'no' }));
    }
  }

  /** Nothing will be answered any more. */
  end(reason: FlotillaError): void {
    const [sent, waiting] = [[...this.#sent.values()], this.#waiting];
    this.#sent.clear();
    this.#waiting = [];
    for (const request of sent) request.reject(unknown(request, reason));
    for (const request of waiting) request.reject(reason);
  }
}

function unknown({ what }: Request, reason: FlotillaError): FlotillaError {
  const detail = `cannot tell whether ZooKeeper did: ${what}; ${reason.detail}`;
  return new FlotillaError(reason.code, detail, { executed: 'unknown', cause: reason, data: reason.data });
}
