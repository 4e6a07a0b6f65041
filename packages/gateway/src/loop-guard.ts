import { FlotillaError, parseBaggage, type Random } from '@flotilla/core';
import type { HttpHeaders, HttpRequest } from '@flotilla/http';

/**
 * The member of the baggage in which gateways note what passed them: services carry baggage on, so that a request that
 * comes back through one of them is known again. A stranger who writes it can only have his own request refused.
 */
export const passedKey = 'flotilla.passed';

/** Gateways that one request may pass, whatever becomes of its path on the way. */
export const maxPasses = 8;

const marksPattern = /^[0-9a-z]{1,7}(?:\.[0-9a-z]{1,7}){0,15}$/;

/** Knows requests that come back. */
export class LoopGuard {
  /** Of this process alone: nobody else can make its marks. */
  readonly #seed: number;

  constructor(random: Random) {
    this.#seed = Math.floor(random() * 0x1_0000_0000);
  }

  /** What the baggage of a request says passed gateways before it, and this request itself. */
  marks(request: HttpRequest): readonly string[] {
    const own = this.#mark(request);
    return request.headers.has('baggage') ? [...marksIn(request.headers), own] : [own];
  }

  /**
   * @param marks as {@link marks} gave them
   * @throws FlotillaError LOOP_DETECTED when the same address was asked within this request before, or too many were
   */
  check(marks: readonly string[]): void {
    const own = marks.at(-1) as string;
    if (marks.indexOf(own) < marks.length - 1) {
      const detail =
        'the request came back to the address by which it entered this gateway: ' +
        'a route leads, perhaps by an instance that a registry names, to this gateway itself';
      throw new FlotillaError('LOOP_DETECTED', detail);
    }
    if (marks.length > maxPasses) {
      throw new FlotillaError(
        'LOOP_DETECTED',
        `the request has passed ${marks.length - 1} gateways, ${maxPasses} are allowed`,
      );
    }
  }

  /** FNV-1a over what tells one address from another. A gateway may be called again, by whom it called, for another one. */
  #mark({ method, path, query }: HttpRequest): string {
    let hash = this.#seed;
    hash = mixed(hash, method);
    hash = mixed(hash, path.text);
    return (mixed(hash, query) >>> 0).toString(36);
  }
}

/** One more text, and a blank behind it. */
function mixed(seed: number, text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01_00_01_93);
  return Math.imul(hash ^ 0x20, 0x01_00_01_93);
}

function marksIn(headers: HttpHeaders): readonly string[] {
  const marks = parseBaggage(headers.get('baggage') ?? '').get(passedKey);
  return marks !== undefined && marksPattern.test(marks) ? marks.split('.') : [];
}
