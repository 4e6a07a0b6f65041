/** How busy a process is, as the rim measured it lately. */
export interface ProcessLoad {
  /** How late the event loop runs what is due, in milliseconds: the usual of the last moment, not its single worst. */
  readonly loopDelayMs: number;
  /** The share of its time that the event loop works, 0 to 1. */
  readonly utilisation: number;
  /** The share of the heap's limit that is in use, 0 to 1. */
  readonly heapFraction: number;
}

/** Port: measures the process that the limits protect. */
export interface LoadSource {
  /** The load of the last moment. Cheap: it is asked often, and measures anew only now and then. */
  load(now: number): ProcessLoad;
  /**
   * Calls `listener` once, when the event loop has read all that had come: what comes later is read in another turn. Absent:
   * turns are not known, and calls are not spread over them.
   */
  afterTurn?(listener: () => void): void;
}

const idle: ProcessLoad = Object.freeze({ loopDelayMs: 0, utilisation: 0, heapFraction: 0 });

/** A process that is never busy: limits then follow latency alone. */
export const idleLoad: LoadSource = Object.freeze({ load: () => idle });
