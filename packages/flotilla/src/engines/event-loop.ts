import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** Over which the share is taken: long enough to mean something, short enough to notice a change. */
const windowMs = 500;

/** Share of its time that the event loop of this process was busy, over the last half second or since it was asked last. */
export function eventLoopShare(): () => number {
  let since: EventLoopUtilization = performance.eventLoopUtilization();
  let takenAt = performance.now();
  let share = since.utilization;
  return () => {
    const now = performance.now();
    if (now - takenAt < windowMs) return share;
    const current = performance.eventLoopUtilization();
    share = performance.eventLoopUtilization(current, since).utilization;
    since = current;
    takenAt = now;
    return share;
  };
}
