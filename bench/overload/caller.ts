/** What became of one request. Refused: the server said so at once. Failed: there was no answer within the deadline, or an error. */
export type Outcome = 'good' | 'refused' | 'failed';

/** Whoever asks a server, over one transport. */
export interface Caller {
  /** One request, whatever became of those before. */
  ask(urgency: number): Promise<Outcome>;
  close(): Promise<void>;
}

/** Who has no answer by then no longer wants one. */
export const deadlineMs = 1_000;
