import type { Row } from '../harness/measurement.ts';
import { calls } from './calls.ts';
import { callsBeside, callsGrowth, callsHalfLoad, callsMemory } from './calls-growth.ts';
import { gateway } from './gateway.ts';
import { clientFilterCosts, clientStack, pick } from './in-process.ts';
import { deltas, footprint, fullFetches, heartbeats, registrations } from './registry.ts';
import { clients, growth, watchers } from './registry-fleet.ts';
import { fleetStart, startUp } from './start-up.ts';

/** Everything that is measured, in the order of the page. */
export const rows: readonly Row[] = [
  gateway,
  calls,
  callsGrowth,
  callsHalfLoad,
  callsBeside,
  callsMemory,
  clientStack,
  clientFilterCosts,
  pick,
  heartbeats,
  registrations,
  fullFetches,
  deltas,
  footprint,
  growth,
  watchers,
  clients,
  startUp,
  fleetStart,
];
