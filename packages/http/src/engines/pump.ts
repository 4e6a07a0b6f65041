/** Where a {@link Pump} puts what it reads. */
export interface PumpTarget {
  /** @returns false when the pump should wait for {@link Pump.resume}. */
  push(chunk: Uint8Array): boolean;
  end(): void;
  fail(thrown: unknown): void;
}

/** What each chunk and the end wait for before they go on; undefined: nothing. */
export type Gate = () => Promise<void> | undefined;

/**
 * Reads a body into a target, as fast as the target takes it. Unlike a loop it can be stopped while the body has
 * nothing to give: {@link stop} leaves the body at once.
 */
export class Pump {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #target: PumpTarget;
  readonly #gate: Gate;
  #stopped = false;
  #resume: (() => void) | undefined;

  constructor(body: AsyncIterable<Uint8Array>, target: PumpTarget, gate: Gate = nothing) {
    this.#chunks = body[Symbol.asyncIterator]();
    this.#target = target;
    this.#gate = gate;
  }

  start(): void {
    void this.#run();
  }

  /** The target has room again. */
  resume(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  /** Nobody wants the rest. The body's own failures are of no interest any more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.resume();
    leave(this.#chunks);
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped) {
        const { done, value } = await this.#chunks.next();
        await this.#gate();
        if (this.#stopped) return;
        if (done) break;
        if (!this.#target.push(value)) await this.#room();
      }
      if (this.#stopped) return;
      this.#stopped = true;
      this.#target.end();
    } catch (thrown) {
      if (this.#stopped) return;
      this.#stopped = true;
      this.#target.fail(thrown);
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }
}

/** Leaves a body that nobody will read, so that whoever sends it can stop. */
export function dispose(body: unknown): void {
  if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) {
    leave((body as AsyncIterable<unknown>)[Symbol.asyncIterator]());
  }
}

/** A generator that is waiting for something ends when that comes; its error then is nobody's. */
function leave(chunks: AsyncIterator<unknown>): void {
  try {
    chunks.return?.().then(nothing, nothing);
  } catch {
    // An iterator that throws at once has nothing left to release.
  }
}

function nothing(): undefined {}
