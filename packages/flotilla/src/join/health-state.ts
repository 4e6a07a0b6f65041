import type { HealthConfig } from './settings.ts';

/**
 * What is known of an app's health.
 *
 * | status | the registry says | exits |
 * |---|---|---|
 * | `starting` | `starting`: nobody calls it | `up`, at the first good check |
 * | `up` | `up` | `down`, after `downAfter` failed checks in a row |
 * | `down` | `down`: nobody calls it any more | `up`, after `upAfter` good checks in a row |
 */
export interface AppHealth {
  readonly status: 'starting' | 'up' | 'down';
  /** Checks in a row that speak against the status. */
  readonly against: number;
  /** Why the latest check failed; absent after a good one. */
  readonly reason?: string;
}

export const initialHealth: AppHealth = Object.freeze({ status: 'starting', against: 0 });

/**
 * One check. An app is believed at once when it first comes up, so that a start costs no interval; one that fails has to
 * fail or recover several times in a row, so that one lost packet, or a busy second, moves nobody.
 * @param failure why it failed; undefined when it was well.
 */
export function afterCheck(
  { status, against }: AppHealth,
  failure: string | undefined,
  { upAfter, downAfter }: Pick<HealthConfig, 'upAfter' | 'downAfter'>,
): AppHealth {
  if (failure === undefined) {
    if (status === 'starting' || (status === 'down' && against + 1 >= upAfter)) return { status: 'up', against: 0 };
    return { status, against: status === 'up' ? 0 : against + 1 };
  }
  if (status !== 'up') return { status, against: 0, reason: failure };
  if (against + 1 >= downAfter) return { status: 'down', against: 0, reason: failure };
  return { status, against: against + 1, reason: failure };
}
