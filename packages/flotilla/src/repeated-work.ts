import {
  Call,
  type Clock,
  type Component,
  FlotillaError,
  type Logger,
  type Random,
  runInCall,
  type Timer,
  within,
} from '@flotilla/core';

/** How often work is done that no caller asks for. */
export interface RepeatOptions {
  /** Milliseconds from the end of one run to the start of the next, give or take a tenth, so that copies spread out. */
  readonly everyMs: number;
  /** Milliseconds that one run may take; then its call is cancelled. Default 30 000. */
  readonly timeoutMs?: number;
}

/** Work that a service does by itself, again and again. */
export interface RepeatedWork extends RepeatOptions {
  readonly name: string;
  readonly work: (call: Call) => unknown;
}

/** What repeating needs of its process. */
export interface RepeatRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Runs work again and again.
 * 1. The start begins the first run and does not wait for it.
 * 2. Runs never overlap: the next one begins `everyMs` after the last one ended, whatever came of it.
 * 3. Each runs in a call of its own, which clients find by themselves. One that fails is logged and tried again in time.
 * 4. The stop cancels the run in hand and lets its cancelled calls come back.
 */
export function repeatedWork(spec: RepeatedWork, runtime: RepeatRuntime): Component {
  const { clock, random } = runtime;
  let stopped = false;
  let timer: Timer | undefined;
  let call: Call | undefined;
  let run: Promise<void> = Promise.resolve();
  const next = (): void => {
    const made = new Call({ clock, random, deadline: clock.now() + (spec.timeoutMs ?? defaultTimeoutMs) });
    call = made;
    run = runOnce(spec, made, runtime).finally(() => {
      if (!stopped) timer = clock.setTimer(spec.everyMs * (0.9 + random() * 0.2), next, { background: true });
    });
  };
  return {
    name: spec.name,
    start: async () => next(),
    async stop(reason) {
      stopped = true;
      timer?.cancel();
      call?.cancel(new FlotillaError('CANCELLED', `"${spec.name}" is stopped: ${reason}`));
      await run;
    },
  };
}

const defaultTimeoutMs = 30_000;

async function runOnce({ name, work }: RepeatedWork, call: Call, { logger }: RepeatRuntime): Promise<void> {
  try {
    await within(
      call,
      runInCall(call, async () => work(call)),
    );
    call.end();
  } catch (cause) {
    if (!call.cancelled || call.cancelled.code === 'DEADLINE_EXCEEDED') {
      logger.warn('repeated work failed and will be tried again', { work: name, cause });
    }
    call.end(call.cancelled ?? new FlotillaError('INTERNAL', `"${name}" failed`, { cause }));
  }
}

/** @throws RangeError for a time that cannot be kept; TypeError for a name that nobody could read in a log. */
export function assertRepeat(name: string, { everyMs, timeoutMs = defaultTimeoutMs }: RepeatOptions): void {
  if (name === '') throw new TypeError('repeated work needs a name');
  for (const [option, value] of Object.entries({ everyMs, timeoutMs })) {
    if (!(value > 0 && value < Infinity)) {
      throw new RangeError(`${option} of "${name}" must be a finite number of milliseconds above 0, got ${value}`);
    }
  }
}
