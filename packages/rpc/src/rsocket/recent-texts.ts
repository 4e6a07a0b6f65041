/** More texts than this at a time are read anew now and then. */
const places = 64;

/** A text and its bytes. */
interface Recent {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads short texts that come again and again, such as routes, without making them anew: to compare a few bytes takes less than
 * to make a text, and a text that is the same one is found sooner in a map. It holds
 * {@link places} texts of up to 255 bytes, the last one at each place.
 */
export class RecentTexts {
  readonly #recent: (Recent | undefined)[] = new Array(places).fill(undefined);

  /** The UTF-8 text of these bytes. */
  read(bytes: Buffer, from: number, to: number): string {
    const place = placeOf(bytes, from, to);
    const recent = this.#recent[place];
    if (recent && isSame(recent.bytes, bytes, from, to)) return recent.text;
    const text = bytes.toString('utf8', from, to);
    if (to - from <= 255) this.#recent[place] = { text, bytes: new Uint8Array(bytes.subarray(from, to)) };
    return text;
  }
}

function placeOf(bytes: Buffer, from: number, to: number): number {
  let hash = 0;
  for (let at = from; at < to; at++) hash = (hash * 31 + (bytes[at] as number)) | 0;
  return (hash ^ (hash >>> 8)) & (places - 1);
}

function isSame(known: Uint8Array, bytes: Buffer, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[from + at]) return false;
  return true;
}
