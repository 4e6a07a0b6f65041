import { connect, type Socket } from 'node:net';
import { ResponseReader } from './response-reader.ts';

/**
 * What became of a request, as its sender saw it.
 *
 * | outcome | means |
 * |---|---|
 * | `ok` | a whole answer with a status below 400 |
 * | `status NNN` | a whole answer with another status |
 * | `refused` | nobody listens |
 * | `no connection` | connecting failed otherwise |
 * | `reset` | the connection ended before the first byte of an answer |
 * | `truncated` | it ended after the first byte and before the last one |
 * | `timed out` | the last byte did not come in time |
 * | `malformed` | what came is no HTTP/1.1 |
 */
export type Outcome =
  | 'ok'
  | `status ${number}`
  | 'refused'
  | 'no connection'
  | 'reset'
  | 'truncated'
  | 'timed out'
  | 'malformed';

export interface Request {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** On a connection of its own, which is closed afterwards. Default: on one that is kept open. */
  readonly fresh?: boolean;
  /** Until the last byte, from now. */
  readonly timeoutMs: number;
}

export interface Reply {
  readonly outcome: Outcome;
  /** 0 without an answer. */
  readonly status: number;
  readonly body: string;
  readonly headers: ReadonlyMap<string, string>;
}

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  /** Open at once, fresh ones included; further requests wait their turn. */
  readonly maxConnections: number;
  /**
   * Which of the idle connections is used: the one that was used last (default: few are busy, the others end), or the
   * one that has been idle for longest, after all `maxConnections` were opened, as many browsers at once would do.
   */
  readonly reuse?: 'newest' | 'oldest' | undefined;
}

interface Job {
  readonly request: Request;
  readonly settle: (reply: Reply) => void;
  readonly timer: NodeJS.Timeout;
  connection: Connection | undefined;
}

/** A plain HTTP/1.1 client on sockets that says exactly what became of each request, and never repeats one. */
export class HttpClient {
  readonly #options: ClientOptions;
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  readonly #waiting = new Set<Job>();

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Requests that wait for a connection. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Never rejects. */
  send(request: Request): Promise<Reply> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#give(job, 'timed out'), request.timeoutMs);
      const job: Job = { request, settle: resolve, timer, connection: undefined };
      this.#start(job);
    });
  }

  close(): void {
    for (const connection of this.#open) connection.destroy();
  }

  #start(job: Job): void {
    const idle = job.request.fresh ? undefined : this.#takeIdle();
    if (idle) this.#run(idle, job);
    else if (this.#open.size < this.#options.maxConnections) this.#run(this.#connect(), job);
    else {
      this.#waiting.add(job);
      this.#idle.shift()?.destroy(); // only for a fresh one: its place will do
    }
  }

  #takeIdle(): Connection | undefined {
    const { reuse = 'newest', maxConnections } = this.#options;
    if (reuse === 'newest') return this.#idle.pop();
    return this.#open.size < maxConnections ? undefined : this.#idle.shift();
  }

  #connect(): Connection {
    const connection = new Connection(this.#options, () => this.#gone(connection));
    this.#open.add(connection);
    return connection;
  }

  #run(connection: Connection, job: Job): void {
    job.connection = connection;
    connection.exchange(serialize(job.request, this.#options), (outcome, reader) => {
      job.connection = undefined;
      this.#settle(job, outcome, reader);
      if (connection.usable && !job.request.fresh) this.#idle.push(connection);
      else connection.destroy();
      this.#next();
    });
  }

  #next(): void {
    const [job] = this.#waiting;
    if (!job || (this.#idle.length === 0 && this.#open.size >= this.#options.maxConnections)) return;
    this.#waiting.delete(job);
    this.#start(job);
  }

  #gone(connection: Connection): void {
    this.#open.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#next();
  }

  /** Given up. */
  #give(job: Job, outcome: Outcome): void {
    this.#waiting.delete(job);
    this.#settle(job, outcome, undefined);
    job.connection?.destroy();
  }

  #settle({ settle, timer }: Job, outcome: Outcome, reader: ResponseReader | undefined): void {
    clearTimeout(timer);
    settle({ outcome, status: reader?.status ?? 0, body: reader?.body ?? '', headers: reader?.headers ?? new Map() });
  }
}

/** One connection, one request at a time. */
class Connection {
  usable = true;
  readonly #socket: Socket;
  #reader: ResponseReader | undefined;
  #done: ((outcome: Outcome, reader: ResponseReader | undefined) => void) | undefined;
  #failure: NodeJS.ErrnoException | undefined;
  #connected = false;

  constructor({ host, port }: ClientOptions, gone: () => void) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket
      .on('connect', () => {
        this.#connected = true;
      })
      .on('data', (chunk: Buffer) => this.#data(chunk))
      .on('error', (error) => {
        this.#failure = error;
      })
      .on('end', () => {
        this.usable = false;
        this.#reader?.end();
        if (this.#reader?.progress === 'whole') this.#finish(outcomeOf(this.#reader.status));
        this.#socket.destroy();
      })
      .on('close', () => {
        this.usable = false;
        this.#finish(this.#broken());
        gone();
      });
  }

  exchange(bytes: string, done: (outcome: Outcome, reader: ResponseReader | undefined) => void): void {
    this.#reader = new ResponseReader();
    this.#done = done;
    this.#socket.write(bytes);
  }

  destroy(): void {
    this.usable = false;
    this.#socket.destroy();
  }

  #data(chunk: Buffer): void {
    try {
      if (!this.#reader) throw new Error('bytes that nobody asked for');
      this.#reader.push(chunk);
    } catch {
      this.usable = false;
      this.#finish('malformed');
      return;
    }
    if (this.#reader.progress !== 'whole') return;
    if (this.#reader.closes) this.usable = false;
    this.#finish(outcomeOf(this.#reader.status));
  }

  #broken(): Outcome {
    if (this.#failure?.code === 'ECONNREFUSED') return 'refused';
    if (!this.#connected) return 'no connection';
    return this.#reader?.progress === 'begun' ? 'truncated' : 'reset';
  }

  #finish(outcome: Outcome): void {
    const done = this.#done;
    const reader = this.#reader;
    this.#done = undefined;
    this.#reader = undefined;
    done?.(outcome, reader);
  }
}

function outcomeOf(status: number): Outcome {
  return status < 400 ? 'ok' : `status ${status}`;
}

function serialize(
  { method = 'GET', path, headers = {}, body, fresh }: Request,
  { host, port }: ClientOptions,
): string {
  const fields = Object.entries({
    host: `${host}:${port}`,
    ...headers,
    ...(body === undefined ? undefined : { 'content-length': `${Buffer.byteLength(body)}` }),
    ...(fresh ? { connection: 'close' } : undefined),
  });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${path} HTTP/1.1\r\n${head}\r\n${body ?? ''}`;
}
