import { type ConfigSchema, type Loaded, type Origin, type Refreshed, refreshConfig } from '@flotilla/config';
import { type FlotillaError, type Logger, type Meter, toFlotillaError } from '@flotilla/core';

/** What a {@link LiveConfig} needs. */
export interface LiveConfigOptions<C> {
  readonly schema: ConfigSchema<C>;
  /** What the process started with. */
  readonly loaded: Loaded<C>;
  /** Reads all layers again. @throws FlotillaError CONFIG_INVALID naming every mistake. */
  readonly load: () => Promise<Loaded<C>>;
  /** A last look at values before they count. @throws FlotillaError CONFIG_INVALID when they may not. */
  readonly check: (now: C) => void;
  /** Called when something waits for the next start that did not wait before. */
  readonly outdated: () => void;
  readonly logger: Logger;
  readonly meter: Meter;
}

/**
 * The configuration of a running process. A changed file is read again: what counts at once is swapped in as a whole, what
 * counts from the next start only is kept as it is and said. A file with mistakes changes nothing.
 */
export class LiveConfig<C> {
  readonly #options: LiveConfigOptions<C>;
  readonly #log: ConfigLog;
  #loaded: Loaded<C>;
  #pending: Refreshed<C>['pending'] = [];
  #listener: ((now: C, before: C) => void) | undefined;

  constructor(options: LiveConfigOptions<C>) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#log = configLog(options.logger, options.meter);
  }

  get now(): C {
    return this.#loaded.values;
  }

  get origins(): readonly Origin[] {
    return this.#loaded.origins;
  }

  /** @param listener hears of each change, after it counts; must not throw. */
  onChange(listener: (now: C, before: C) => void): void {
    this.#listener = listener;
  }

  /** Reads all layers again and takes in what changed. Never rejects. One at a time. */
  async refresh(): Promise<void> {
    const { schema, load, check } = this.#options;
    try {
      const refreshed = refreshConfig(schema, this.#loaded, await load());
      check(refreshed.values);
      this.#take(refreshed);
    } catch (thrown) {
      this.#log.refused(toFlotillaError(thrown));
    }
  }

  #take(refreshed: Refreshed<C>): void {
    const before = this.now;
    this.#loaded = refreshed;
    if (refreshed.pending.length > 0 && !sameChanges(refreshed.pending, this.#pending)) {
      this.#log.waits(refreshed.pending);
      this.#options.outdated();
    }
    this.#pending = refreshed.pending;
    if (refreshed.changed.length === 0) return;
    this.#log.changed(refreshed.changed);
    this.#listener?.(this.now, before);
  }
}

function sameChanges(some: Refreshed<unknown>['pending'], others: Refreshed<unknown>['pending']): boolean {
  return JSON.stringify(some) === JSON.stringify(others);
}

interface ConfigLog {
  changed(changes: Refreshed<unknown>['changed']): void;
  waits(changes: Refreshed<unknown>['pending']): void;
  refused(error: FlotillaError): void;
}

/** Every line that a changed configuration can cause, and the count of refreshes. */
function configLog(logger: Logger, meter: Meter): ConfigLog {
  const refreshes = meter.counter({
    name: 'flotilla_config_refreshes_total',
    help: 'Changed configurations of this process, by what became of them.',
    labels: ['result'],
  });
  return {
    changed(changes) {
      refreshes.with({ result: 'applied' }).add();
      logger.info('configuration changed', { changes });
    },
    waits(changes) {
      logger.warn('configuration changed, but this counts from the next start only; restart the process', { changes });
    },
    refused(error) {
      refreshes.with({ result: 'refused' }).add();
      logger.error('changed configuration refused; going on with the one before', { reason: error.message });
    },
  };
}
