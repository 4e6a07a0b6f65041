/** Finds the ends of answers in what comes over one connection, and throws their bodies away. */
export class AnswerReader {
  #held: Buffer | undefined;
  /** Bytes of the body that are still to come. */
  #rest = 0;
  /** Inside a body in chunks. */
  #chunked = false;
  #status = 0;
  bytes = 0;
  /** The answer that is read says that the server closes the connection behind it. */
  closes = false;

  /** @returns the status of an answer that ended with these bytes; undefined: it goes on. One at a time, no pipelining. */
  take(chunk: Buffer): number | undefined {
    this.bytes += chunk.length;
    if (this.#chunked) return this.#inChunks(chunk);
    if (this.#rest > 0) {
      this.#rest -= chunk.length;
      return this.#rest <= 0 ? this.#status : undefined;
    }
    const bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#held = bytes;
      return undefined;
    }
    this.#held = undefined;
    const head = bytes.toString('latin1', 0, end).toLowerCase();
    this.#status = Number(head.slice(9, 12));
    this.closes = head.includes('\r\nconnection: close');
    const body = bytes.length - end - 4;
    if (head.includes('\r\ntransfer-encoding: chunked')) {
      this.#chunked = true;
      return this.#inChunks(bytes.subarray(end + 4));
    }
    const at = head.indexOf('\r\ncontent-length: ');
    const length = at < 0 ? 0 : Number.parseInt(head.slice(at + 18), 10);
    this.#rest = length - body;
    return this.#rest <= 0 ? this.#status : undefined;
  }

  /** The last chunk is the only one of length 0, and no body of JSON or gzip has these bytes before its end by accident. */
  #inChunks(chunk: Buffer): number | undefined {
    const tail = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = tail.subarray(Math.max(0, tail.length - 7));
    const end = tail.length >= 7 ? '\r\n0\r\n\r\n' : '0\r\n\r\n';
    if (!tail.subarray(-end.length).equals(Buffer.from(end))) return undefined;
    this.#chunked = false;
    this.#held = undefined;
    return this.#status;
  }
}
