import { toFlotillaError } from '@flotilla/core';
import { parseNetwork } from '@flotilla/http';
import type { Value } from './value.ts';

/** Reads `trustedProxies`: addresses and ranges of them, `10.0.0.0/8`. */
export function readNetworks(value: Value): readonly string[] {
  return (value.texts() ?? []).flatMap(([text, item]) => {
    try {
      parseNetwork(text);
      return [text];
    } catch (thrown) {
      return item.mistake(toFlotillaError(thrown).detail) ?? [];
    }
  });
}
