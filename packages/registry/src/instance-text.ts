import type { Instance } from '@flotilla/core';

/** An instance as JSON. Not kept: whoever sends one to many keeps what it sends, and most are sent to nobody. */
export function instanceText(instance: Instance): string {
  return JSON.stringify(instance);
}
