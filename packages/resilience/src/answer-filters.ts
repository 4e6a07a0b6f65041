import { type Call, compose, type Filter, type Handler, type Meter } from '@flotilla/core';
import { type BatchItem, batch } from './batch.ts';
import { type AnswerCache, createAnswerCache } from './cache.ts';
import type { ClientPolicies } from './client-policies.ts';
import type { FilterEntry } from './composition.ts';
import type { PolicyEvents } from './events.ts';
import { singleFlight } from './single-flight.ts';

/** What of a client's policies decides on answers. */
export type AnswerPolicies = Pick<ClientPolicies, 'cache' | 'singleFlight' | 'batch'>;

/** How calls of one operation become one call of another. */
export interface GatherPlan<Req, Res> {
  readonly join: (requests: readonly Req[]) => Req;
  readonly split: (response: Res, requests: readonly Req[]) => readonly BatchItem<Res>[];
  readonly prepare: (call: Call, joined: Req) => void;
}

/** What the filters of one operation need to know. */
export interface AnswerFilterOptions<Req, Res> {
  /** The operation with its contract: `catalog.product`. */
  readonly operation: string;
  /** Whom it is about: the name of the service. */
  readonly target: string;
  readonly policies: AnswerPolicies;
  /** What makes two calls ask for the same; undefined: not to be shared. */
  readonly keyOf: (request: Req, call: Call) => string | undefined;
  /** Calls that may go together. */
  readonly groupOf: (request: Req, call: Call) => string;
  /** Into what calls are gathered. Absent: they are not. */
  readonly plan?: GatherPlan<Req, Res> | undefined;
  readonly events?: PolicyEvents | undefined;
  readonly meter?: Meter | undefined;
}

/**
 * What stands between a caller and the policies of a call, outermost first: it may spare the call. What is off is not in the
 * list.
 * @param keep takes the cache, to forget what it holds
 */
export function answerFilters<Req, Res>(
  options: AnswerFilterOptions<Req, Res>,
  keep: (cache: AnswerCache<Req, Res>) => void = () => {},
): readonly FilterEntry<Req, Res>[] {
  const { operation, target, policies, keyOf, plan, events, meter } = options;
  const shared = { target, events, operationOf: () => operation };
  const entries: FilterEntry<Req, Res>[] = [];
  if (policies.cache.enabled) {
    const cache = createAnswerCache<Req, Res>({ ...policies.cache, ...shared, keyOf, meter });
    keep(cache);
    entries.push({
      name: 'cache',
      reason: 'outermost: an answer that is kept needs nothing further in, and bridges whatever fails there',
      filter: cache.filter,
    });
  }
  if (policies.singleFlight.enabled) {
    entries.push({
      name: 'singleFlight',
      reason: 'below the cache, whose misses come together; above batch: the same question is asked once in it',
      filter: singleFlight<Req, Res>({ ...policies.singleFlight, ...shared, keyOf }),
    });
  }
  if (plan && policies.batch.enabled) {
    entries.push({
      name: 'batch',
      reason: 'innermost: what is left becomes one call, with the policies of the operation that takes many',
      filter: batch<Req, Res>({ ...policies.batch, ...shared, ...plan, groupOf: options.groupOf }),
    });
  }
  return entries;
}

/** Where the policies of a client are looked up, and how its calls are told apart. */
export interface LiveAnswersOptions<Op extends object, Req, Res> {
  readonly operationOf: (request: Req, call: Call) => Op;
  /** The same object as long as nothing was configured anew. */
  readonly policiesOf: (operation: Op) => AnswerPolicies;
  readonly needsOf: (operation: Op) => Omit<AnswerFilterOptions<Req, Res>, 'policies'>;
}

/** The filters of all operations of a client, which follow the configuration. */
export interface LiveAnswers<Req, Res> {
  readonly filter: Filter<Req, Res>;
  /** Forgets every answer that is kept under a key that matches. */
  forget(matches: (key: string) => boolean): void;
}

/** An operation for which nothing is on costs two look-ups. What is configured anew begins with an empty cache if it differs. */
export function liveAnswers<Op extends object, Req, Res>(
  options: LiveAnswersOptions<Op, Req, Res>,
): LiveAnswers<Req, Res> {
  const caches = new Map<Op, AnswerCache<Req, Res>>();
  return {
    forget(matches) {
      for (const cache of caches.values()) cache.deleteWhere(matches);
    },
    filter(next) {
      const chains = new WeakMap<Op, Chain<Req, Res>>();
      const build = (operation: Op, policies: AnswerPolicies, text: string): Chain<Req, Res> => {
        caches.delete(operation);
        const needs = { ...options.needsOf(operation), policies };
        const entries = answerFilters<Req, Res>(needs, (cache) => void caches.set(operation, cache));
        return {
          policies,
          text,
          handle: compose(
            entries.map(({ filter }) => filter),
            next,
          ),
        };
      };
      const chainOf = (operation: Op, policies: AnswerPolicies): Chain<Req, Res> => {
        const known = chains.get(operation);
        if (known?.policies === policies) return known;
        const text = textOf(policies);
        const chain = known?.text === text ? { ...known, policies } : build(operation, policies, text);
        chains.set(operation, chain);
        return chain;
      };
      return (request, call) => {
        const operation = options.operationOf(request, call);
        return chainOf(operation, options.policiesOf(operation)).handle(request, call);
      };
    },
  };
}

interface Chain<Req, Res> {
  readonly policies: AnswerPolicies;
  readonly text: string;
  readonly handle: Handler<Req, Res>;
}

function textOf({ cache, singleFlight: flight, batch: gather }: AnswerPolicies): string {
  return JSON.stringify([cache, flight, gather]);
}
