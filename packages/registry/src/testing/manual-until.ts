import { type ManualClock, settle } from '@flotilla/core/testing';

/** Moves the clock until something holds, through at most ten minutes. */
export async function manualUntil(clock: ManualClock, what: string, holds: () => boolean): Promise<void> {
  await settle();
  for (let waitedMs = 0; !holds(); waitedMs += 100) {
    if (waitedMs >= 600_000) throw new Error(`in ten minutes it did not come to this: ${what}`);
    await clock.advance(100);
  }
}
