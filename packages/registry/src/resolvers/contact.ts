import { FlotillaError } from '@flotilla/core';
import type { SourceLog } from './log.ts';

/** So many reasons of a refusal are remembered as said. */
const mostReasons = 32;

/**
 * Whether a source answers, for the log: each change is said once. A refusal is said once for each reason, also when others
 * are let in meanwhile.
 */
export class Contact {
  readonly #log: SourceLog;
  #reached: boolean | undefined;
  readonly #refusals = new Set<string>();

  constructor(log: SourceLog) {
    this.#log = log;
  }

  worked(): void {
    if (this.#reached === false) this.#log.reachable();
    this.#reached = true;
  }

  /** @param thrown an error that the peer sent with a 4xx status means that it is there and does not want us. */
  failed(thrown: unknown): void {
    const error = thrown instanceof FlotillaError ? thrown : undefined;
    if (error?.code === 'CANCELLED') return;
    const reason = error?.detail ?? String(thrown);
    if (isRefusal(error)) {
      if (!this.#refusals.has(reason) && this.#refusals.size < mostReasons) this.#log.refused({ reason });
      if (this.#refusals.size < mostReasons) this.#refusals.add(reason);
      return;
    }
    if (this.#reached !== false) this.#log.unreachable({ reason, cause: thrown });
    this.#reached = false;
  }
}

/** Somebody is there and does not want us: trying again changes nothing until somebody sets something. */
export function isRefusal(error: FlotillaError | undefined): boolean {
  if (error === undefined) return false;
  return error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN' || (error.fromPeer && error.httpStatus < 500);
}
