import { type Instance, type Json, readOwn, writeOwn } from '@flotilla/core';

type Entry = readonly [name: string, text: string];
type Means = (name: string, text: string) => boolean;

/** What an instance's metadata may hold. */
export const metadataLimits: { readonly entries: number; readonly entryBytes: number } = Object.freeze({
  entries: 64,
  entryBytes: 1_024,
});

/**
 * The owner's entries among a document's. A Dubbo provider may say more than metadata holds (a list of many methods,
 * settings for each): what is over the bounds goes to the bag, so that it is not lost.
 */
export function readOwnMetadata(
  entries: Iterable<Entry>,
  means: Means,
): { readonly metadata: Instance['metadata']; readonly overflow: readonly Entry[] } {
  const within: Entry[] = [];
  const overflow: Entry[] = [];
  for (const [name, text] of readOwn(entries, means)) {
    const fits = within.length < metadataLimits.entries && bytesOf(name) + bytesOf(text) <= metadataLimits.entryBytes;
    (fits ? within : overflow).push([name, text]);
  }
  return { metadata: Object.fromEntries(within), overflow };
}

/** The document's entries for the owner's metadata, and for what the bag kept of it. */
export function writeOwnMetadata(metadata: Instance['metadata'], overflow: Json | undefined, means: Means): Entry[] {
  const kept = typeof overflow === 'object' && overflow !== null && !Array.isArray(overflow) ? overflow : {};
  const texts = Object.entries(kept).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return writeOwn(Object.fromEntries([...texts, ...Object.entries(metadata)]), means);
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
