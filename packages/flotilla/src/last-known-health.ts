import type { FileCache } from '@flotilla/balance';
import type { Clock } from '@flotilla/core';
import type { HealthCheck } from '@flotilla/telemetry';

const mostNamed = 3;

/**
 * What readiness says of instances that are known from disk alone, since no registry has answered yet. The process is
 * ready all the same: it can call them; their age tells an operator how far to trust that.
 */
export function lastKnownHealth(cache: Pick<FileCache, 'fromDisk'>, clock: Clock): HealthCheck {
  return {
    name: 'instances',
    check() {
      const sets = cache.fromDisk();
      if (sets.length === 0) return { ready: true };
      const words = sets.slice(0, mostNamed).map(({ target, instances, savedAt }) => {
        const ageMs = Math.max(0, clock.wallNow() - savedAt);
        return `${target}: ${instances}, known for ${formatAge(ageMs)}`;
      });
      const more = sets.length > mostNamed ? `, and ${sets.length - mostNamed} more` : '';
      return { ready: true, reason: `no registry has answered yet; from disk: ${words.join('; ')}${more}` };
    },
  };
}

function formatAge(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
