import { performance } from 'node:perf_hooks';
import { type ClientOptions, HttpClient, type Outcome, type Request } from './client.ts';
import { Histogram } from './histogram.ts';

/** A load with a fixed rate of arrivals. */
export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** What of the request with this number, from 0, is not a plain GET of the path. */
  readonly request?: (index: number) => Pick<Request, 'method' | 'headers' | 'body'>;
  readonly ratePerSecond: number;
  /** It ends by itself after this time. */
  readonly durationMs: number;
  /** Share of the requests, 0 to 1, that come on a connection of their own. Default 0.2. */
  readonly freshShare?: number;
  /** Default 200. */
  readonly maxConnections?: number;
  /** Default `newest`; see {@link ClientOptions}. */
  readonly reuse?: ClientOptions['reuse'];
  /** From the intended start to the last byte. Default 10 s. */
  readonly timeoutMs?: number;
}

/** One second of a load, by the intended start of its requests. */
export interface Second {
  readonly latency: Histogram;
  failed: number;
}

export interface LoadResult {
  /** Requests that were due; each has exactly one outcome. */
  readonly sent: number;
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** From the intended start until the outcome was known, whatever it was: a wait that was given up counts, too. */
  readonly latency: Histogram;
  readonly seconds: readonly Second[];
  /** Requests with an outcome per second. */
  readonly reachedPerSecond: number;
  /** How much later than intended the driver itself began. */
  readonly late: Histogram;
  /** The driver could not keep its schedule: then the times are its own as well, not only the server's. */
  readonly driverWasBusy: boolean;
}

export interface Load {
  /** Ends the arrivals now, or when their time is over, and waits for the requests in hand. */
  stop(): Promise<LoadResult>;
  readonly done: Promise<LoadResult>;
}

const defaults = { freshShare: 0.2, maxConnections: 200, reuse: 'newest', timeoutMs: 10_000 } as const;

/** One late start in a hundred by more than this, and the driver calls itself busy. */
const lateMs = 20;

/**
 * Sends requests at a fixed rate, whatever becomes of those before ("open loop"). Each has an instant at which it was
 * meant to start, and its latency counts from there: a server that stalls makes all requests of that time late, not
 * only the one that noticed ("coordinated omission").
 */
export function startLoad(options: LoadOptions): Load {
  const { ratePerSecond, durationMs, path, request } = options;
  const { freshShare, maxConnections, reuse, timeoutMs } = { ...defaults, ...options };
  const client = new HttpClient({ host: options.host, port: options.port, maxConnections, reuse });
  const tally = new Tally();
  const most = Math.ceil((ratePerSecond * durationMs) / 1_000);
  const startedAt = performance.now();
  const inHand = new Set<Promise<void>>();
  const { promise: done, resolve } = Promise.withResolvers<LoadResult>();
  let sent = 0;
  let timer: NodeJS.Timeout | undefined;

  const due = (index: number): number => startedAt + (index * 1_000) / ratePerSecond;

  function sendOne(): void {
    const intendedAt = due(sent);
    const own = request?.(sent);
    const fresh = Math.floor((sent + 1) * freshShare) > Math.floor(sent * freshShare);
    sent++;
    const now = performance.now();
    tally.late.record(now - intendedAt);
    const work = client.send({ path, fresh, timeoutMs: timeoutMs - (now - intendedAt), ...own }).then(({ outcome }) => {
      inHand.delete(work);
      tally.record(outcome, intendedAt - startedAt, performance.now() - intendedAt);
    });
    inHand.add(work);
  }

  function tick(): void {
    while (sent < most && due(sent) <= performance.now()) sendOne();
    if (sent >= most) void finish();
    else timer = setTimeout(tick, Math.max(0, due(sent) - performance.now()));
  }

  let finishing: Promise<void> | undefined;
  function finish(): Promise<void> {
    clearTimeout(timer);
    finishing ??= (async () => {
      const arrivalsMs = performance.now() - startedAt;
      await Promise.all(inHand); // each ends by its own time-out
      client.close();
      resolve(tally.result(sent, arrivalsMs));
    })();
    return finishing;
  }

  tick();
  return {
    async stop() {
      await finish();
      return done;
    },
    done,
  };
}

class Tally {
  readonly late = new Histogram();
  readonly #latency = new Histogram();
  readonly #outcomes = new Map<Outcome, number>();
  readonly #seconds: Second[] = [];

  record(outcome: Outcome, offsetMs: number, latencyMs: number): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#latency.record(latencyMs);
    const second = this.#second(Math.floor(offsetMs / 1_000));
    second.latency.record(latencyMs);
    if (outcome !== 'ok') second.failed++;
  }

  result(sent: number, arrivalsMs: number): LoadResult {
    return {
      sent,
      outcomes: this.#outcomes,
      latency: this.#latency,
      seconds: this.#seconds,
      reachedPerSecond: (this.#latency.count * 1_000) / arrivalsMs,
      late: this.late,
      driverWasBusy: this.late.quantileMs(0.99) > lateMs,
    };
  }

  #second(index: number): Second {
    while (this.#seconds.length <= index) this.#seconds.push({ latency: new Histogram(), failed: 0 });
    return this.#seconds[index] as Second;
  }
}
