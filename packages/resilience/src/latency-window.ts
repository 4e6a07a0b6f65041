/** The shortest latency that is told from others, in milliseconds; the factor between two buckets. */
const [leastMs, factor] = [0.1, 1.05];
const logFactor = Math.log(factor);
/** Up to 0.1 ms × 1.05^284 = 104 s. */
const bucketCount = 285;

/**
 * Quantiles of what was measured lately, in constant space: a histogram whose buckets grow by 5 % each, of this window and of
 * the one before.
 *
 * ```
 *   bucket   0        1              2               …   284
 *   ms       ≤ 0.1    0.1 – 0.105    0.105 – 0.110   …   99,000 – ∞
 *   before   0        3              12              …           counts of the window before
 *   now      1        5              7               …           counts of this one
 * ```
 *
 * {@link quantile} is the upper bound of the bucket that holds the wanted sample: at most 5 % above it, never below, for
 * samples from 0.1 ms to 99 s. No timers: every step is told the time.
 */
export class LatencyWindow {
  readonly #windowMs: number;
  #now: Uint32Array = new Uint32Array(bucketCount);
  #before: Uint32Array = new Uint32Array(bucketCount);
  #window = -Infinity;
  #inNow = 0;
  #inBefore = 0;

  /** @param windowMs a sample counts for this long at least, and for less than twice as long */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  record(ms: number, now: number): void {
    this.#turnTo(now);
    const bucket = bucketOf(ms);
    this.#now[bucket] = (this.#now[bucket] ?? 0) + 1;
    this.#inNow += 1;
  }

  /** Samples that count. */
  count(now: number): number {
    this.#turnTo(now);
    return this.#inNow + this.#inBefore;
  }

  /**
   * The latency that a share of the samples does not exceed; undefined without samples.
   * @param share above 0, up to 1: 0.95 is the p95
   */
  quantile(share: number, now: number): number | undefined {
    const total = this.count(now);
    if (total === 0) return undefined;
    const rank = Math.ceil(share * total);
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += (this.#now[bucket] ?? 0) + (this.#before[bucket] ?? 0);
      if (seen >= rank) return leastMs * factor ** bucket;
    }
    return undefined;
  }

  #turnTo(now: number): void {
    const window = Math.floor(now / this.#windowMs);
    if (window <= this.#window) return; // a clock that steps back changes nothing
    const isNext = window === this.#window + 1;
    [this.#before, this.#now] = [this.#now, this.#before];
    this.#now.fill(0);
    if (!isNext) this.#before.fill(0);
    this.#inBefore = isNext ? this.#inNow : 0;
    this.#inNow = 0;
    this.#window = window;
  }
}

function bucketOf(ms: number): number {
  if (!(ms > leastMs)) return 0;
  // 1e-9: a bound belongs to the bucket below it although logarithms do not come out exactly.
  return Math.min(bucketCount - 1, Math.ceil(Math.log(ms / leastMs) / logFactor - 1e-9));
}
