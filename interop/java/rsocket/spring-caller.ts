import { EventEmitter, once } from 'node:events';
import { within } from '../programs/deadline.ts';
import { type Boot, startRSocketClient } from '../programs/java.ts';
import type { Program } from '../programs/program.ts';

/** An error as rsocket-java has it; `code` is null for what is no error of RSocket. */
export interface SpringError {
  readonly type: string;
  readonly code: number | null;
  readonly message: string | null;
}

/** How a call is made: by the requester, or by a method of the interface. */
export type HowToCall = (
  | { readonly interaction: 'response' | 'stream' | 'channel' | 'send'; readonly route: string }
  | { readonly method: string }
) & {
  readonly data?: unknown;
  /** What is sent at once, of many messages. */
  readonly items?: readonly unknown[];
  /** Whether more is going to be pushed. */
  readonly open?: boolean;
  /** How many elements are wanted at first. Default: all. */
  readonly first?: number;
  readonly timeoutMs?: number;
};

interface Line {
  readonly call?: number;
  readonly sent?: number;
  readonly connect?: string;
  readonly dispose?: string;
  readonly refused?: string;
  readonly item?: unknown;
  readonly wanted?: number;
  readonly ended?: true;
  readonly cancelled?: true;
  readonly failed?: SpringError;
}

/** An unchanged Spring client, which makes the calls that a suite tells it to. */
export class SpringCaller {
  readonly #program: Program;
  readonly #calls = new Map<number, SpringCall>();
  #made = 0;
  #requesters = 0;

  private constructor(program: Program) {
    this.#program = program;
    program.onLine((line) => {
      if (line.startsWith('{')) this.#hear(JSON.parse(line) as Line);
    });
  }

  static async start(boot: Boot): Promise<SpringCaller> {
    return new SpringCaller(await startRSocketClient(boot));
  }

  /**
   * A requester; it connects at its first call, and again at the first one after a connection was lost.
   * @param options.mime default: Boot's, which is CBOR
   */
  async connect(
    port: number,
    options: { readonly mime?: string; readonly fragmentSize?: number; readonly keepAliveMs?: number } = {},
  ): Promise<string> {
    const name = `to-${port}-${++this.#requesters}`;
    this.#tell({ connect: name, port, ...options });
    await this.#program.said(new RegExp(`^{"connect":"${name}"}`));
    return name;
  }

  dispose(requester: string): void {
    this.#tell({ dispose: requester });
  }

  call(requester: string, how: HowToCall): SpringCall {
    const id = ++this.#made;
    const call = new SpringCall(id, (command) => this.#tell({ call: id, ...command }));
    this.#calls.set(id, call);
    this.#tell({ call: id, on: requester, ...how });
    return call;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill();
  }

  #tell(command: object): void {
    this.#program.tell(JSON.stringify(command));
  }

  #hear(line: Line): void {
    if (line.refused !== undefined) throw new Error(`the Spring client did not understand ${JSON.stringify(line)}`);
    if (line.sent !== undefined) this.#calls.get(line.sent)?.sender(line);
    if (line.call !== undefined) this.#calls.get(line.call)?.receiver(line);
  }
}

/** A call as its Spring caller sees it. */
export class SpringCall {
  readonly items: unknown[] = [];
  /** How many elements the callee wanted of this caller, one number for each time that it asked. */
  readonly wanted: number[] = [];
  /** Whether the callee wants no more of what this caller sends. */
  unwanted = false;
  #outcome: 'ended' | 'cancelled' | SpringError | undefined;
  readonly #id: number;
  readonly #tell: (command: object) => void;
  readonly #news = new EventEmitter();

  constructor(id: number, tell: (command: object) => void) {
    this.#id = id;
    this.#tell = tell;
  }

  push(item: unknown): void {
    this.#tell({ push: item });
  }

  end(): void {
    this.#tell({ end: true });
  }

  /** Ends what it sends with an error. */
  tear(): void {
    this.#tell({ tear: true });
  }

  more(n: number): void {
    this.#tell({ more: n });
  }

  cancel(): void {
    this.#tell({ cancel: true });
  }

  /** The outcome, when there is one. */
  over(): Promise<'ended' | 'cancelled' | SpringError> {
    return this.until('it is over', () => this.#outcome);
  }

  /** The elements, when it has ended well; else an error. */
  async all(): Promise<unknown[]> {
    const outcome = await this.over();
    if (outcome === 'ended') return this.items;
    throw new Error(`the call did not end well: ${JSON.stringify(outcome)}`);
  }

  /** Waits until something is so of this call. */
  until<T>(what: string, ask: () => T | undefined | false): Promise<T> {
    return within(`${what}, of call ${this.#id}`, this.#wait(ask));
  }

  sender({ wanted, cancelled }: Line): void {
    if (wanted !== undefined) this.wanted.push(wanted);
    if (cancelled) this.unwanted = true;
    this.#news.emit('line');
  }

  receiver({ item, ended, cancelled, failed }: Line): void {
    if (item !== undefined) this.items.push(item);
    else this.#outcome = failed ?? (ended ? 'ended' : cancelled ? 'cancelled' : this.#outcome);
    this.#news.emit('line');
  }

  async #wait<T>(ask: () => T | undefined | false): Promise<T> {
    for (;;) {
      const answer = ask();
      if (answer !== undefined && answer !== false) return answer;
      await once(this.#news, 'line');
    }
  }
}
