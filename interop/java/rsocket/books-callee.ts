import { EventEmitter, once } from 'node:events';
import { within } from '../programs/deadline.ts';
import type { SpringProgram } from '../programs/java.ts';

/** What a handler told: `{ handler: 'endless', wanted: 2 }`. */
export interface HandlerEvent {
  readonly handler: string;
  /** So many elements more were asked of it, or of whoever sends to it. */
  readonly wanted?: number;
  readonly cancelled?: true;
  readonly began?: string;
  readonly noted?: string;
}

/** A server of the books, of whichever side, and what its handlers told. */
export class BooksCallee {
  readonly port: number;
  readonly #end: () => Promise<unknown>;
  readonly #events: HandlerEvent[] = [];
  readonly #news = new EventEmitter();

  constructor(port: number, end: () => Promise<unknown>) {
    this.port = port;
    this.#end = end;
  }

  /** An unchanged Spring server. */
  static ofSpring(program: SpringProgram): BooksCallee {
    const callee = new BooksCallee(program.port, () => program.kill());
    program.onLine((line) => {
      if (line.startsWith('{"handler"')) callee.tell(JSON.parse(line) as HandlerEvent);
    });
    return callee;
  }

  tell(event: HandlerEvent): void {
    this.#events.push(event);
    this.#news.emit('event');
  }

  /** Resolves when a handler has told, or tells, something that fits, after the first `from` events. */
  told(what: string, fits: (event: HandlerEvent) => boolean, from = 0): Promise<HandlerEvent> {
    return within(what, this.#find(fits, from));
  }

  /** How many events there were. */
  get count(): number {
    return this.#events.length;
  }

  /** How many elements were asked of a handler, or for it, in all after the first `from` events. */
  wanted(handler: string, from = 0): number {
    return this.#events
      .slice(from)
      .reduce((sum, event) => sum + (event.handler === handler ? (event.wanted ?? 0) : 0), 0);
  }

  /** Resolves when as many are wanted: what a program says arrives after what it sends. */
  async untilWanted(handler: string, n: number, from: number): Promise<void> {
    const enough = (): boolean => this.wanted(handler, from) >= n;
    await this.told(`${handler} is asked for ${n}`, enough, from);
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #find(fits: (event: HandlerEvent) => boolean, from: number): Promise<HandlerEvent> {
    for (let at = from; ; ) {
      for (; at < this.#events.length; at++) {
        const event = this.#events[at];
        if (event && fits(event)) return event;
      }
      await once(this.#news, 'event');
    }
  }
}
