import type { History, Trouble } from './history.ts';
import type { CallRecord, RunRecord } from './record.ts';

/** Something that holds in every history. */
export interface Invariant {
  readonly name: string;
  /** @returns what contradicts it, in words; undefined: it holds */
  readonly broken: (history: History, record: RunRecord) => string | undefined;
}

/** Deadlines hang on a wheel that turns once in so many milliseconds: a call ends at the first turn at or after its own. */
const grainMs = 10;

/** When troubles begin, callers need as long to learn of them. */
const settlingMs = 1_000;

/** After this long it is forgotten that somebody was slow for two seconds, in the histories that have the time. */
const forgottenMs = 3_500;

export const invariants: readonly Invariant[] = [
  {
    name: 'every call ends once, at its deadline at the latest',
    broken(_history, { calls }) {
      return firstOf(calls, ({ ends, endedAt = Infinity, deadline }) => {
        if (ends !== 1) return `ended ${ends} times`;
        const latest = Math.ceil(deadline / grainMs) * grainMs;
        return endedAt > latest ? `ended at ${ms(endedAt)}, its deadline was ${ms(deadline)}` : undefined;
      });
    },
  },
  {
    name: 'no call gets the answer of another one',
    broken: (_history, { calls }) =>
      firstOf(calls, ({ id, answerOf }) =>
        answerOf !== undefined && answerOf !== id ? `got the answer of call ${answerOf}` : undefined,
      ),
  },
  {
    name: 'a call that was answered was executed, and one that says it was not was not',
    broken: (_history, { calls, executions }) =>
      firstOf(calls, ({ id, answerOf, executed }) => {
        const times = executions.get(id) ?? 0;
        if (answerOf !== undefined && times === 0) return 'was answered, and nobody executed it';
        return executed === 'no' && times > 0 ? `says executed: no, and was executed ${times} times` : undefined;
      }),
  },
  {
    name: 'a command that may not be done twice is not done twice',
    broken: (_history, { calls, executions }) =>
      firstOf(calls, ({ id, operation }) => {
        const times = executions.get(id) ?? 0;
        return operation === 'place' && times > 1 ? `was executed ${times} times` : undefined;
      }),
  },
  {
    name: 'retries and hedges stay within their budgets',
    broken(history, { calls, attempts }) {
      const first = new Set(attempts.map(({ id }) => id));
      const further = attempts.length - first.size;
      const most = budgetOf(history, calls.length);
      return further > most
        ? `${further} further attempts for ${calls.length} calls, the budgets allow ${most}`
        : undefined;
    },
  },
  {
    name: 'nothing is left when all calls are over',
    broken(_history, { left }) {
      const found = Object.entries(left).filter(([, count]) => count !== 0);
      return found.length > 0 ? found.map(([what, count]) => `${what}: ${count}`).join('; ') : undefined;
    },
  },
  {
    name: 'nobody throws what nobody catches',
    broken: (_history, { faults }) => faults[0],
  },
  {
    name: 'no more instances are left out for failing than the settings allow, and never all of them',
    broken(_history, { samples }) {
      for (const { at, known, ejected, candidates, panic } of samples) {
        const most = Math.max(1, Math.floor(known * 0.3));
        if (ejected > most) return `at ${ms(at)} ${ejected} of ${known} are ejected, ${most} may be`;
        if (panic && ejected > 0) return `at ${ms(at)} there is a panic, and ${ejected} are left out nevertheless`;
        if (known > 0 && candidates === 0) return `at ${ms(at)} none of ${known} instances is a candidate`;
      }
      return undefined;
    },
  },
  {
    name: 'while most instances are well, most calls are answered',
    broken(history, { calls }) {
      const limits = successLimit(history);
      if (!limits) return undefined;
      const judged = calls.filter(({ at, cancelled }) => at >= limits.fromMs && !cancelled);
      const answered = judged.filter(({ answerOf }) => answerOf !== undefined).length;
      return answered < judged.length * limits.share - 1
        ? `${answered} of ${judged.length} calls after ${limits.fromMs} ms were answered, ${limits.share * 100} % is the bound`
        : undefined;
    },
  },
  {
    name: 'instances that drain lose no call',
    broken(history, { calls }) {
      if (history.troubles.some(({ kind }) => kind !== 'restart') || history.instances < 5) return undefined;
      return firstOf(calls, ({ cancelled, code }) =>
        !cancelled && code !== undefined ? `failed with ${code}` : undefined,
      );
    },
  },
  {
    name: 'calls leave an instance whose event loop is blocked within 300 ms',
    broken(history, { attempts }) {
      const blocked = onlyTrouble(history, 'blocked');
      if (!blocked || history.instances < 12) return undefined;
      let late = 0;
      for (const instance of blocked.instances) {
        const its = attempts.filter((each) => each.instance === instance && isDuring(each.at, blocked));
        const first = its[0]?.at ?? Infinity;
        late += its.filter(({ at }) => at > first + 300).length;
      }
      const during = attempts.filter(({ at }) => isDuring(at, blocked)).length;
      const even = (during * blocked.instances.length) / history.instances;
      // Where both of two choices are blocked, one of them is taken: a hundredth of the calls, with chance on top.
      return late > even / 4 + 4
        ? `${late} attempts went to blocked instances later than that, ${even.toFixed(0)} are their even share`
        : undefined;
    },
  },
  {
    name: 'an instance whose event loop is blocked is not declared dead',
    broken(history, { ejections }) {
      const blocked = onlyTrouble(history, 'blocked');
      if (!blocked || history.attemptTimeoutMs < 1_000 || history.timeoutMs < 1_000) return undefined;
      const [ejected] = ejections;
      return ejected ? `instance ${ejected.instance} was ejected at ${ms(ejected.at)}` : undefined;
    },
  },
  {
    name: 'who is well again gets calls again',
    broken(history, { attempts, ejections }) {
      if (history.decayMs === undefined || history.instances > 12) return undefined;
      for (let instance = 0; instance < history.instances; instance++) {
        const its = history.troubles.filter(({ instances }) => instances.includes(instance));
        const readmitted = ejections.filter((each) => each.instance === instance).map(({ at, forMs }) => at + forMs);
        const ends = [...its.map(({ atMs, forMs }) => atMs + forMs), ...readmitted];
        const wellAt = Math.max(0, ...ends);
        if (ends.length === 0 || wellAt + forgottenMs > history.trafficMs) continue;
        if (attempts.some((each) => each.instance === instance && each.at > wellAt)) continue;
        return `instance ${instance} was well from ${ms(wellAt)} on and got no call any more`;
      }
      return undefined;
    },
  },
];

function budgetOf({ retriesPerSecond, hedge }: History, calls: number): number {
  const windowSeconds = 10; // a history is not longer than one window
  return Math.floor(calls * 0.2 + retriesPerSecond * windowSeconds + (hedge ? calls * 0.1 : 0));
}

/**
 * From when on which share of the calls has to be answered. A quarter of the instances may do what they like. Of what they do with a
 * command that may not be done twice its caller hears; the rest finds others.
 */
function successLimit(history: History): { fromMs: number; share: number } | undefined {
  const met = new Set(history.troubles.flatMap(({ instances }) => instances));
  const begin = Math.min(...history.troubles.map(({ atMs }) => atMs));
  if (met.size <= history.instances / 4) return { fromMs: begin + settlingMs, share: 0.9 };
  const end = Math.max(...history.troubles.map(({ atMs, forMs }) => atMs + forMs));
  return end + settlingMs < history.trafficMs ? { fromMs: end + settlingMs, share: 0.8 } : undefined;
}

function onlyTrouble({ troubles }: History, kind: Trouble['kind']): Trouble | undefined {
  const [only, ...others] = troubles;
  return only?.kind === kind && others.length === 0 ? only : undefined;
}

function isDuring(at: number, { atMs, forMs }: Trouble): boolean {
  return at >= atMs && at < atMs + forMs;
}

function firstOf(calls: readonly CallRecord[], broken: (call: CallRecord) => string | undefined): string | undefined {
  for (const call of calls) {
    const why = broken(call);
    if (why) return `call ${call.id} (${call.operation}, begun at ${ms(call.at)}) ${why}`;
  }
  return undefined;
}

function ms(instant: number): string {
  return `${instant.toFixed(1)} ms`;
}
