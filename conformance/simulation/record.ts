import type { Executed } from '@flotilla/core';

/** What is asked: a look-up, a command that may be done twice, and one that may not. */
export type AskedOperation = 'look' | 'put' | 'place';

/** One call as its caller saw it. */
export interface CallRecord {
  readonly id: number;
  readonly operation: AskedOperation;
  readonly at: number;
  readonly deadline: number;
  /** Its caller gave it up. */
  cancelled: boolean;
  /** How often it ended; once is right. */
  ends: number;
  endedAt: number | undefined;
  /** Of which call the answer is; undefined: there was none. */
  answerOf: number | undefined;
  /** Code of the error; undefined: there was none. */
  code: string | undefined;
  executed: Executed | undefined;
}

/** One try that left the cluster towards an instance. */
export interface AttemptRecord {
  readonly id: number;
  readonly at: number;
  readonly instance: number;
}

/** How the cluster looked at one moment. */
export interface ClusterSample {
  readonly at: number;
  readonly known: number;
  /** Left out because they fail. */
  readonly ejected: number;
  readonly candidates: number;
  readonly panic: boolean;
}

/** All that is known of a run after its end. */
export interface RunRecord {
  readonly calls: readonly CallRecord[];
  readonly attempts: readonly AttemptRecord[];
  /** How often the handler of each call began, by id. */
  readonly executions: ReadonlyMap<number, number>;
  readonly samples: readonly ClusterSample[];
  /** Who was ejected, by number, when, and for how long. */
  readonly ejections: readonly { readonly at: number; readonly instance: number; readonly forMs: number }[];
  /** What is left when all calls are over; all of it 0 is right. */
  readonly left: Readonly<Record<string, number>>;
  /** What nobody caught. */
  readonly faults: readonly string[];
}
