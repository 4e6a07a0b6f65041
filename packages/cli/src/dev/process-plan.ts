/** One process that `flotilla dev` keeps running. */
export interface ProcessPlan {
  /** `registry`, `gateway`, or the name of a service. */
  readonly name: string;
  /** Tells copies of one service apart: 1, 2, … */
  readonly copy: number;
  /** Absolute path of the program, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute paths; a change of any of them restarts this process. */
  readonly files: ReadonlySet<string>;
  /** Processes of a lower stage serve before those of the next one are started, and are stopped after them. */
  readonly stage: number;
}

/** `registry`, or `catalog.2` when there are several copies. */
export function titleOf(plan: Pick<ProcessPlan, 'name' | 'copy'>, copies: number): string {
  return copies > 1 ? `${plan.name}.${plan.copy}` : plan.name;
}

/** Waits this long before a process that ended by itself is started again: 0.5 s, doubling up to 10 s. */
export function restartDelayMs(endings: number): number {
  return Math.min(10_000, 500 * 2 ** Math.min(endings - 1, 10));
}

/** What a supervised process tells its supervisor over the channel between them. */
export type ProcessReport =
  | { readonly flotilla: 'serving'; readonly url: string; readonly managementUrl?: string }
  | { readonly flotilla: 'failed'; readonly message: string }
  /** Its configuration changed in a way that counts from the next start only. */
  | { readonly flotilla: 'outdated' };

/** The report in a message, if it is one; whatever else comes over the channel is not ours. */
export function reportIn(message: unknown): ProcessReport | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { flotilla, url, managementUrl, message: text } = message as Record<string, unknown>;
  if (flotilla === 'failed') return { flotilla, message: String(text) };
  if (flotilla === 'outdated') return { flotilla };
  if (flotilla !== 'serving' || typeof url !== 'string') return undefined;
  return { flotilla, url, ...(typeof managementUrl === 'string' ? { managementUrl } : undefined) };
}
