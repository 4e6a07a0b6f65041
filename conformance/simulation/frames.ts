import type { Random } from '@flotilla/core';
import type { Transit } from '@flotilla/rpc/rsocket/memory';

/** One frame in ten is repeated, swapped with the one before, lost, or replaced by noise. */
export function garbled(random: Random, active: () => boolean): Transit {
  return (bytes) => {
    if (!active()) return [bytes];
    const frames = framesOf(bytes);
    for (let at = 0; at < frames.length; at++) {
      if (random() >= 0.1) continue;
      const frame = frames[at] as Buffer;
      switch (Math.floor(random() * 4)) {
        case 0:
          frames.splice(at++, 0, frame);
          break;
        case 1:
          if (at > 0) [frames[at - 1], frames[at]] = [frame, frames[at - 1] as Buffer];
          break;
        case 2:
          frames[at] = Buffer.alloc(0);
          break;
        default:
          frames[at] = Buffer.from(Array.from(frame, () => Math.floor(random() * 256)));
      }
    }
    return frames;
  };
}

/** Each begins with its length in three bytes. */
function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 3 + bytes.readUIntBE(at, 3);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}
