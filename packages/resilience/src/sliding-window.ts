/**
 * A window that slides, out of two that stand: what came in the window before counts by the share of it that the sliding one
 * still covers, as if it had come evenly.
 *
 * ```
 *            previous          current
 *   ├────────────────────┼────────────┬───────┤
 *            └──── the sliding window ┘          estimate = previous × (1 − share of current that is over) + current
 * ```
 *
 * Two counters for any rate, and what was counted in the window before does not change any more.
 */

/** How many may have been counted in the current window, this call included. 0: none. */
export function windowRoom(previous: number, sharePassed: number, limit: number): number {
  // 1e-9: shares of a window do not come out exactly.
  return Math.max(0, Math.floor(limit - previous * (1 - sharePassed) + 1e-9));
}

/**
 * Milliseconds until one more fits, if nobody else comes.
 * @param sharePassed of the current window, 0 to 1
 */
export function waitForRoom(
  { previous, current, limit }: { readonly previous: number; readonly current: number; readonly limit: number },
  sharePassed: number,
  windowMs: number,
): number {
  if (current + 1 <= limit) {
    const share = 1 - (limit - current - 1) / previous; // when previous × (1 − share) + current + 1 = limit
    return Math.max(0, share - sharePassed) * windowMs;
  }
  const share = 1 - (limit - 1) / current; // of the next window, in which current is the previous one
  return (1 - sharePassed + Math.max(0, share)) * windowMs;
}
