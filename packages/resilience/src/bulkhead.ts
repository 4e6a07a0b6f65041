import { type Call, type Filter, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { BulkheadSettings } from './client-policies.ts';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { type NoPlace, Places, ranks } from './places.ts';

/** Whose bulkhead it is, and who hears of it. */
export interface BulkheadOptions {
  readonly settings: BulkheadSettings;
  readonly target: string;
  /** The operation, where each has its own. */
  readonly operation?: string | undefined;
  readonly events?: PolicyEvents | undefined;
}

/** The places of one bulkhead, which outlive the filters that use them. */
export class Bulkhead {
  readonly places: Places;
  readonly #options: BulkheadOptions;
  readonly #events: PolicyEvents;
  #settings: BulkheadSettings;

  constructor(options: BulkheadOptions) {
    this.#options = options;
    this.#events = options.events ?? nullEvents;
    this.#settings = options.settings;
    this.places = new Places({ limitOf: () => this.#settings.maxConcurrent });
  }

  /** A smaller cap counts for who comes now; who is in stays in. */
  configure(settings: BulkheadSettings): void {
    this.#settings = settings;
    this.places.admit();
  }

  /** Waits for a place. @throws FlotillaError UNAVAILABLE, never executed, or the reason why the call was cancelled. */
  async wait(call: Call): Promise<void> {
    const { target, operation } = this.#options;
    if (this.#settings.maxQueued > 0) tell(this.#events, call.clock, 'bulkhead', 'queued', target, operation);
    const result = await this.places.wait(call, ranks[call.priority], this.#settings);
    if (result === undefined) return;
    tell(this.#events, call.clock, 'bulkhead', 'refused', target, operation);
    throw this.#refusal(result);
  }

  #refusal(why: NoPlace): FlotillaError {
    const { target, operation } = this.#options;
    const { maxConcurrent, maxQueued, maxWaitMs } = this.#settings;
    const whose = operation === undefined ? `"${target}"` : `${operation} of "${target}"`;
    const waited = why === 'waited' ? `none was free within ${maxWaitMs} ms` : `${maxQueued} more wait already`;
    return new FlotillaError(
      'UNAVAILABLE',
      `${whose} has ${maxConcurrent} calls in flight, as many as bulkhead.maxConcurrent allows, and ${waited}`,
      { executed: 'no' },
    );
  }
}

/**
 * Caps what is in flight to one service or operation, so that one that stalls does not take everything with it. A call that
 * finds no place waits for a while, the urgent and the soonest due first. It counts until its last byte or element.
 *
 * Errors: UNAVAILABLE, never executed.
 */
export function bulkhead<Req, Res>({ bulkhead }: { readonly bulkhead: Bulkhead }): Filter<Req, Res> {
  const { places } = bulkhead;
  const leave = (): void => places.leave();
  return (next) => {
    const enterLater = async (request: Req, call: Call): Promise<Res> => {
      try {
        await bulkhead.wait(call);
      } catch (thrown) {
        call.end(toFlotillaError(thrown));
        throw thrown;
      }
      call.onEnd(leave);
      return next(request, call);
    };
    return (request, call) => {
      if (!places.enter(ranks[call.priority])) return enterLater(request, call);
      call.onEnd(leave);
      return next(request, call);
    };
  };
}
