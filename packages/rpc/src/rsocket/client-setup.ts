import { announcement } from './announcement.ts';
import { type SetupOptions, setupDefaults } from './connection-options.ts';
import { compositeMime } from './mime.ts';
import { OutBuffer } from './out-buffer.ts';
import type { Setup } from './setup.ts';

/** What a client says in SETUP: what was given, the defaults, and who we are, where the metadata has room for that. */
export function completeSetup(given: SetupOptions = {}): Setup {
  const metadataMime = given.metadataMime ?? setupDefaults.metadataMime;
  const out = new OutBuffer(Buffer.alloc(64));
  if (metadataMime === compositeMime.text) announcement.writeTo(out);
  if (given.metadata) out.raw(given.metadata);
  return {
    keepaliveMs: positive('keepaliveMs', given.keepaliveMs ?? setupDefaults.keepaliveMs),
    lifetimeMs: positive('lifetimeMs', given.lifetimeMs ?? setupDefaults.lifetimeMs),
    metadataMime,
    dataMime: given.dataMime ?? setupDefaults.dataMime,
    lease: given.lease ?? false,
    metadata: out.bytes.subarray(0, out.length),
    data: given.data ?? new Uint8Array(0),
  };
}

function positive(name: string, ms: number): number {
  if (ms >= 1 && ms <= 0x7fff_ffff) return Math.floor(ms);
  throw new RangeError(`${name} must be a number of milliseconds from 1 on, got ${ms}`);
}
