import type { Clock } from './clock.ts';
import { FlotillaError } from './errors.ts';
import type { Logger } from './ports/logger.ts';

/** Something that is started and stopped: a listener, a store, a background job. */
export interface Component {
  /** What it is called in messages. */
  readonly name: string;
  /** Acquires. Resolves when useful; on failure it leaves nothing open. */
  start(): Promise<void>;
  /** Drains, then releases. May be called early, twice or concurrently: later calls share the first one's promise. */
  stop(reason: string): Promise<void>;
}

/** Components that are all up. */
export interface Running {
  /** Stops them, last started first; the rest is stopped even when one fails. Later calls share the first promise. */
  stop(reason: string): Promise<void>;
}

/**
 * Starts all or none, in order.
 * 1. Each is started when the one before it is up.
 * 2. When one fails, those that are up are stopped, last started first, and its error is thrown.
 * @throws FlotillaError START_FAILED naming the component, or the component's own FlotillaError.
 */
export async function startAll(components: readonly Component[], logger: Logger): Promise<Running> {
  const up: Component[] = [];
  const stopUp = async (reason: string): Promise<void> => {
    for (let component = up.pop(); component; component = up.pop()) {
      await component.stop(reason).catch((cause: unknown) => {
        logger.error('component did not stop cleanly', { component: component?.name, cause });
      });
    }
  };
  for (const component of components) {
    try {
      await component.start();
      up.push(component);
    } catch (cause) {
      await stopUp(`"${component.name}" could not start`);
      if (cause instanceof FlotillaError) throw cause;
      throw new FlotillaError('START_FAILED', `"${component.name}" could not start: ${textOf(cause)}`, { cause });
    }
  }
  let stopping: Promise<void> | undefined;
  return {
    stop(reason) {
      stopping ??= stopUp(reason);
      return stopping;
    },
  };
}

/** What {@link superviseProcess} needs of a process: `node:process`, or a stand-in in a test. */
export interface ProcessPort {
  on(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown;
  exit(code: number): void;
}

/** How a process ends. */
export interface SupervisionOptions {
  readonly process: ProcessPort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a second signal gives up: "3 calls, 1 open stream". Empty text: nothing. */
  readonly inHand: () => string;
  /** Longest time to drain after something broke that nobody caught. Default 10 000. */
  readonly crashDrainMs?: number;
}

/**
 * Ends the process well.
 * 1. SIGTERM or SIGINT: `stop` drains, then the process exits with 0, or 1 if stopping failed.
 * 2. A second signal ends it at once with 1, after a word about what was lost.
 * 3. An exception or rejection that nobody caught: it is logged, `stop` gets `crashDrainMs`, the exit code is 1.
 */
export function superviseProcess(running: Running, options: SupervisionOptions): void {
  const { process, clock, logger, inHand, crashDrainMs = 10_000 } = options;
  let ending = false;
  const onSignal = (signal: string): void => {
    if (ending) {
      const lost = inHand();
      logger.warn('second signal: ending at once', { signal, lost: lost === '' ? 'nothing' : lost });
      process.exit(1);
      return;
    }
    ending = true;
    logger.info('draining', { signal, inHand: inHand() });
    running.stop(signal).then(
      () => process.exit(0),
      (cause: unknown) => {
        logger.error('stopping failed', { cause });
        process.exit(1);
      },
    );
  };
  const onCrash = (kind: string) => (thrown: unknown) => {
    logger.error('something broke that nobody caught; draining and ending', { kind, cause: thrown });
    if (ending) return;
    ending = true;
    clock.setTimer(crashDrainMs, () => process.exit(1));
    void running.stop(kind).finally(() => process.exit(1));
  };
  process.on('SIGTERM', () => onSignal('SIGTERM'));
  process.on('SIGINT', () => onSignal('SIGINT'));
  process.on('uncaughtException', onCrash('uncaughtException'));
  process.on('unhandledRejection', onCrash('unhandledRejection'));
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
