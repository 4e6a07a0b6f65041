import { STATUS_CODES } from 'node:http';
import type { Clock } from '@flotilla/core';
import type { HttpHeaders } from '../../headers.ts';

/** What stands in the head of an answer beside its own fields. */
export interface AnswerEnd {
  /** Whether the connection goes on; `end`: this side ends it, which the client did not ask for. */
  readonly connection: 'keep' | 'close' | 'end';
  /** The body comes in chunks. */
  readonly chunked: boolean;
}

const statusLines: string[] = [];

/** Writes heads of answers as text of which each character is a byte. `Date` (RFC 9110 §6.6.1) is made once a second. */
export class AnswerHeads {
  readonly #clock: Clock;
  #second = Number.NaN;
  #date = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param headers checked: nothing in them ends a line. A `date` among them, of whoever made the answer, stays the only one. */
  write(status: number, headers: HttpHeaders, { connection, chunked }: AnswerEnd): string {
    const fields = statusLineOf(status) + headers.toLines();
    const date = headers.has('date') ? '' : this.#dateField();
    const coding = chunked ? 'Transfer-Encoding: chunked\r\n\r\n' : '\r\n';
    if (connection === 'keep') return `${fields}${date}Connection: keep-alive\r\n${coding}`;
    if (connection === 'close') return `${fields}${date}Connection: close\r\n${coding}`;
    return `${fields}connection: close\r\n${date}${coding}`;
  }

  #dateField(): string {
    const now = this.#clock.wallNow();
    const second = now - (now % 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = `Date: ${new Date(second).toUTCString()}\r\n`;
    }
    return this.#date;
  }
}

function statusLineOf(status: number): string {
  statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
  return statusLines[status];
}
