import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import { Gathering } from './gathering.ts';
import { rememberMissing } from './missing.ts';
import type { Parts, Values } from './part.ts';

/** What holds for a whole. */
export interface GatherOptions {
  /** Milliseconds for all parts together, if the call's deadline is not sooner. Default: the call's deadline alone. */
  readonly timeoutMs?: number;
}

/**
 * Runs parts at the same time, each as soon as what it needs is there, and puts what they give into one object.
 * 1. All share one deadline; each runs in a child call, which carries it, its own sooner one, and cancellation.
 * 2. A part runs once, no matter how many need it.
 * 3. When a part that is not optional fails, the others are cancelled and its error is thrown as it is.
 * 4. An optional part that fails or is late gives its fallback; {@link missing} of the result tells.
 * 5. Nothing is left behind: it settles only when each part that was started has settled or has been cancelled. Work that
 *    does not heed its cancellation goes on unheard; its answer and its error are dropped.
 *
 * Inside a part `currentCall()` is the part's own call, so a client that is not handed one works for the part as well.
 *
 * ```ts
 * const page = await gather(call, {
 *   product: (c) => catalog.product({ id }, c),
 *   reviews: optional((c) => reviews.list({ id }, c), [], { timeoutMs: 200 }),
 * });
 * ```
 * @throws the first error of a part that is not optional; the reason of a call that was cancelled.
 * @throws RangeError when `timeoutMs` is not greater than 0.
 */
export async function gather<const P extends Parts>(
  call: Call,
  parts: P,
  options: GatherOptions = {},
): Promise<{ -readonly [Name in keyof P]: Values<P>[Name] }> {
  call.throwIfCancelled();
  const whole = call.child(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs });
  const gathering = new Gathering(whole, parts);
  try {
    const gathered = await gathering.run();
    await gathering.settled();
    whole.end();
    rememberMissing(gathered, gathering.missing);
    return gathered as { [Name in keyof P]: Values<P>[Name] };
  } catch (thrown) {
    whole.cancel(new FlotillaError('CANCELLED', 'another part of the answer failed', { cause: thrown }));
    await gathering.settled();
    whole.end(toFlotillaError(thrown));
    throw thrown;
  }
}
