import { followFiles, readConfigFiles } from '@flotilla/config';
import { type Clock, FlotillaError, type Logger, nullLogger, toFlotillaError } from '@flotilla/core';
import { readRoutes } from './document/read.ts';
import type { Gateway } from './gateway.ts';
import { type RouteFileLog, routeFileLog } from './log.ts';
import type { RouteDocument } from './route-document.ts';

/** Port: where the text of the last route file that was good is kept. */
export interface LastGoodRoutes {
  /** Undefined when nothing was kept yet. */
  load(): Promise<string | undefined>;
  /** Replaces what was kept, all or nothing. */
  save(text: string): Promise<void>;
}

/** What watching a route file needs. */
export interface WatchRoutesOptions {
  readonly clock: Clock;
  /** Default: says nothing. */
  readonly logger?: Logger | undefined;
  /** Used at the start when the file has mistakes. Default: then there is no start. */
  readonly lastGood?: LastGoodRoutes | undefined;
}

/** A route file that is being followed. */
export interface RouteWatch {
  /** Resolves when a change that is being read is dealt with; none is looked at after this. Later calls share the first one's promise. */
  close(): Promise<void>;
}

/**
 * Applies the routes of a YAML file now and after each change of it. A file that cannot be read or has mistakes changes
 * nothing: the log names every mistake with its line, and the routes before stay in use.
 * @throws FlotillaError CONFIG_INVALID when the file cannot be used at the start, and neither can its last good version.
 */
export async function watchRoutes(path: string, gateway: Gateway, options: WatchRoutesOptions): Promise<RouteWatch> {
  const reader = new RouteReader(path, gateway, options);
  // Followed before it is read: a change between the two is not missed.
  const starting = Promise.withResolvers<void>();
  const follower = await followFiles([path], options.clock, async () => {
    await starting.promise;
    await reader.follow();
  });
  try {
    await reader.start();
  } catch (thrown) {
    starting.resolve();
    await follower.close();
    throw thrown;
  }
  starting.resolve();
  return follower;
}

class RouteReader {
  readonly #path: string;
  readonly #gateway: Gateway;
  readonly #lastGood: LastGoodRoutes | undefined;
  readonly #log: RouteFileLog;

  constructor(path: string, gateway: Gateway, { logger = nullLogger, lastGood }: WatchRoutesOptions) {
    this.#path = path;
    this.#gateway = gateway;
    this.#lastGood = lastGood;
    this.#log = routeFileLog(logger);
  }

  async start(): Promise<void> {
    try {
      await this.#apply();
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      const kept = await this.#loadLastGood();
      if (kept === undefined) throw error;
      this.#log.fellBack(this.#path, error);
      this.#gateway.apply(kept);
    }
  }

  async follow(): Promise<void> {
    try {
      await this.#apply();
    } catch (thrown) {
      this.#log.refused(this.#path, toFlotillaError(thrown));
    }
  }

  async #apply(): Promise<void> {
    const [file] = await readConfigFiles([this.#path]);
    if (!file) throw new FlotillaError('CONFIG_INVALID', `"${this.#path}" could not be read`);
    this.#gateway.apply(readRoutes(file.text, this.#path));
    await this.#lastGood?.save(file.text).catch((cause: unknown) => this.#log.notKept(this.#path, cause));
  }

  /** What cannot be loaded, or has mistakes itself, is as good as nothing. */
  async #loadLastGood(): Promise<RouteDocument | undefined> {
    try {
      const text = await this.#lastGood?.load();
      return text === undefined ? undefined : readRoutes(text, `the last good version of ${this.#path}`);
    } catch {
      return undefined;
    }
  }
}
