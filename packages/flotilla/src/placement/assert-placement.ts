import { FlotillaError } from '@flotilla/core';
import type { Placement } from './local-places.ts';

/** @throws FlotillaError CONFIG_INVALID for a service that would be placed in itself */
export function assertPlacement(placement: Readonly<Record<string, Placement>>, self: string): void {
  if (placement[self] === undefined || placement[self] === 'remote') return;
  throw new FlotillaError('CONFIG_INVALID', `placement.${self}: "${self}" cannot be placed in itself`);
}
