/** Recorded exchanges between Spring programs; see the note beside the recordings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RecordedFrame {
  readonly direction: 'client>server' | 'server>client';
  /** With the length field. */
  readonly hex: string;
  readonly decoded: Readonly<Record<string, unknown>> & { readonly type: string; readonly stream: number };
  readonly truncated?: boolean;
  readonly connection?: number;
}

export interface RecordedExchange {
  readonly name: string;
  readonly note: string;
  readonly frames: readonly RecordedFrame[];
}

const folder = process.env['FLOTILLA_TEST_DATA'];

/** Why tests of the recordings do not run; false where they do. */
export const recordingsMissing: false | string =
  folder === undefined && 'SKIPPED LOUDLY: set FLOTILLA_TEST_DATA to the folder that holds rsocket-traffic/';

export function recordedExchanges(): RecordedExchange[] {
  if (folder === undefined) return [];
  const exchanges = JSON.parse(
    readFileSync(join(folder, 'rsocket-traffic', 'frames.json'), 'utf8'),
  ) as RecordedExchange[];
  const isWhole = (frame: RecordedFrame): boolean => frame.hex !== undefined && !frame.truncated;
  return exchanges.map((exchange) => ({ ...exchange, frames: exchange.frames.filter(isWhole) }));
}
