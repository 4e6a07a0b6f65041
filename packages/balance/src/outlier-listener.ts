import type { Address } from '@flotilla/core';

/** Hears what outlier ejection does. Must not throw, and must not wait. */
export interface OutlierListener {
  ejected(address: Address, forMs: number, timesEjected: number): void;
  readmitted(address: Address): void;
  /** Too few are well: all of them are used. */
  panicked(up: number, ejected: number): void;
}
