import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { LoadSource, ProcessLoad } from '../load-source.ts';

/** Utilisation and heap are measured anew at most this often. */
const everyMs = 25;
/** The delay: ten looks of the histogram at the loop. */
const delayEveryMs = 100;
const resolutionMs = 10;

/**
 * The load of this process. Node's own histogram looks at the event loop every 10 ms, without waking JavaScript; what it saw
 * is read when somebody asks. The median of a moment: one long garbage collection is no load, a loop that is late again
 * and again is.
 */
export class NodeLoad implements LoadSource {
  readonly #delays = monitorEventLoopDelay({ resolution: resolutionMs });
  #load: ProcessLoad = { loopDelayMs: 0, utilisation: 0, heapFraction: 0 };
  #utilisation = performance.eventLoopUtilization();
  #measuredAt = Number.NEGATIVE_INFINITY;
  #delayAt = Number.NEGATIVE_INFINITY;

  constructor() {
    this.#delays.enable();
  }

  load(now: number): ProcessLoad {
    if (now - this.#measuredAt >= everyMs) this.#measure(now);
    return this.#load;
  }

  /** The check phase follows the one in which sockets are read. */
  afterTurn(listener: () => void): void {
    setImmediate(listener);
  }

  /** Ends the histogram; the last load stays. */
  close(): void {
    this.#delays.disable();
  }

  #measure(now: number): void {
    this.#measuredAt = now;
    const utilisation = performance.eventLoopUtilization();
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    this.#load = {
      loopDelayMs: now - this.#delayAt >= delayEveryMs ? this.#delay(now) : this.#load.loopDelayMs,
      utilisation: performance.eventLoopUtilization(utilisation, this.#utilisation).utilization,
      heapFraction: used / limit,
    };
    this.#utilisation = utilisation;
  }

  #delay(now: number): number {
    this.#delayAt = now;
    // An empty histogram: the loop did not come round even once since the last look.
    if (this.#delays.count === 0) return this.#load.loopDelayMs;
    const delayMs = this.#delays.percentile(50) / 1e6 - resolutionMs;
    this.#delays.reset();
    return Math.max(0, delayMs);
  }
}
