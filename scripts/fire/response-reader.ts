/** How far an answer has come. `whole`: its last byte is here. */
export type Progress = 'nothing' | 'begun' | 'whole';

/** More than this is no head. */
const maxHeadBytes = 65_536;

/** Bodies are kept up to this size, for whoever looks at them; longer ones are counted only. */
const maxKeptBytes = 262_144;

/**
 * Reads one answer of HTTP/1.1 (RFC 9112 §6) and knows at each moment whether it is whole: that is what tells a
 * truncated answer from a complete one. Made for a load driver: one answer, no pipelining, GET and POST only.
 */
export class ResponseReader {
  status = 0;
  /** The server ends the connection after this answer. */
  closes = false;
  /** Of the answer, names in lower case. */
  headers: ReadonlyMap<string, string> = new Map();
  progress: Progress = 'nothing';
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #head = '';
  #framing: 'head' | 'length' | 'chunk-size' | 'chunk' | 'trailer' | 'until-close' = 'head';
  /** Bytes of the body, or of the chunk with its line end, that are still to come. */
  #left = 0;
  #line = '';

  /** @throws Error for bytes that are no answer, or that follow a whole one. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.progress === 'whole') throw new Error('bytes after the end of the answer');
      this.progress = 'begun';
      at = this.#framing === 'head' ? this.#pushHead(chunk, at) : this.#pushBody(chunk, at);
    }
  }

  /** The connection ended. */
  end(): void {
    if (this.#framing === 'until-close') this.progress = 'whole';
  }

  get body(): string {
    return Buffer.concat(this.#kept).toString('utf8');
  }

  #pushHead(chunk: Buffer, at: number): number {
    const before = this.#head.length;
    this.#head += chunk.toString('latin1', at);
    const end = this.#head.indexOf('\r\n\r\n', Math.max(0, before - 3));
    if (end < 0) {
      if (this.#head.length > maxHeadBytes) throw new Error('a head without an end');
      return chunk.length;
    }
    this.#readHead(this.#head.slice(0, end).split('\r\n'));
    this.#head = '';
    return at + (end + 4 - before);
  }

  #readHead([statusLine = '', ...lines]: string[]): void {
    const match = /^HTTP\/1\.1 ([1-5][0-9]{2}) /.exec(`${statusLine} `);
    if (!match) throw new Error(`no status line: "${statusLine.slice(0, 80)}"`);
    this.status = Number(match[1]);
    if (this.status < 200) return; // interim: the head of the answer itself follows
    const fields = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    this.headers = fields;
    this.closes = fields.get('connection')?.toLowerCase() === 'close';
    const length = fields.get('content-length');
    if (this.status === 204 || this.status === 304 || length === '0') this.progress = 'whole';
    else if (fields.get('transfer-encoding')?.toLowerCase() === 'chunked') this.#framing = 'chunk-size';
    else if (length === undefined) this.#framing = 'until-close';
    else {
      this.#framing = 'length';
      this.#left = Number(length);
    }
  }

  #pushBody(chunk: Buffer, at: number): number {
    if (this.#framing === 'chunk-size' || this.#framing === 'trailer') return this.#pushLine(chunk, at);
    const size = this.#framing === 'until-close' ? chunk.length - at : Math.min(this.#left, chunk.length - at);
    this.#keep(chunk.subarray(at, at + size));
    this.#left -= size;
    if (this.#left === 0 && this.#framing === 'length') this.progress = 'whole';
    if (this.#left === 0 && this.#framing === 'chunk') this.#framing = 'chunk-size';
    return at + size;
  }

  #pushLine(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(10, at);
    const end = newline < 0 ? chunk.length : newline + 1;
    this.#line += chunk.toString('latin1', at, end);
    if (newline < 0) return end;
    const line = this.#line.trim();
    this.#line = '';
    if (this.#framing === 'trailer') {
      if (line === '') this.progress = 'whole';
      return end;
    }
    if (line === '') return end; // the line end after the bytes of a chunk
    const size = Number.parseInt(line, 16);
    if (!(size >= 0)) throw new Error(`no chunk size: "${line.slice(0, 40)}"`);
    this.#left = size;
    this.#framing = size === 0 ? 'trailer' : 'chunk';
    return end;
  }

  #keep(bytes: Buffer): void {
    if (this.#keptBytes + bytes.length > maxKeptBytes) return;
    this.#keptBytes += bytes.length;
    this.#kept.push(bytes);
  }
}
