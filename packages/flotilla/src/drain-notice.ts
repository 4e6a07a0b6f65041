import type { Clock, Registration } from '@flotilla/core';

/**
 * Gives callers time to see that an instance drains: until all who follow the registry have said that they know, where it
 * can tell; `limitMs` where it cannot, as behind a Java Eureka or when somebody only fetches lists. Never rejects.
 */
export async function callersNoticed(
  registration: Registration | undefined,
  limitMs: number,
  clock: Clock,
): Promise<void> {
  if (!registration || limitMs <= 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimer(limitMs, resolve);
  void registration.noticed?.(limitMs).then((noticed) => {
    if (noticed) resolve();
  });
  await promise;
  timer.cancel();
}
