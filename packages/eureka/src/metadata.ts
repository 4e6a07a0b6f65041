import { FlotillaError, type Instance, isNoteName, type Json, readOwn, writeOwn } from '@flotilla/core';
import { emptyMetadata } from './document.ts';

type Metadata = Readonly<Record<string, string>>;
type Entry = readonly [name: string, text: string];

/** Zone and weight, as Spring Cloud's load balancer reads them from metadata. */
export interface MetadataFacts {
  readonly zone?: string;
  readonly weight: number;
}

/** What one registration's metadata may hold. */
export const metadataLimits: { readonly entries: number; readonly entryBytes: number } = Object.freeze({
  entries: 64,
  entryBytes: 1_024,
});

/** UTF-8 bytes of a UTF-16 unit. */
const mostBytesPerCharacter = 3;

const zonePattern = /^[^\p{Cc}\p{Cs}]{1,255}$/u;
const weightPattern = /^[1-9]\d{0,8}$/;

/** The facts that Eureka metadata carries by custom. A weight of 1 says nothing and stays the owner's. */
export function readMetadataFacts(metadata: Metadata): MetadataFacts {
  const zone = textOf(metadata, 'zone');
  const text = textOf(metadata, 'weight');
  const weight = text !== undefined && means('weight', text) ? Number(text) : 1;
  return zone !== undefined && means('zone', zone) ? { zone, weight } : { weight };
}

/**
 * The owner's entries.
 * @throws FlotillaError INVALID_INPUT when there are more than 64, or one is over 1 kB.
 */
export function readOwnMetadata(metadata: Metadata): Metadata {
  const said = Object.entries(metadata);
  const own = readOwn(said, means);
  if (own.length > metadataLimits.entries) {
    throw new FlotillaError(
      'INVALID_INPUT',
      `metadata has ${own.length} entries; the limit is ${metadataLimits.entries}`,
    );
  }
  for (const [name, text] of own) {
    if (name.length + text.length <= metadataLimits.entryBytes / mostBytesPerCharacter) continue;
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(text);
    if (bytes <= metadataLimits.entryBytes) continue;
    const limit = metadataLimits.entryBytes;
    throw new FlotillaError(
      'INVALID_INPUT',
      `metadata "${name.slice(0, 80)}" takes ${bytes} bytes; the limit is ${limit}`,
    );
  }
  // Nothing of it was a note, escaped, or somebody else's.
  if (own.length === said.length && own.every(([name], place) => name === said[place]?.[0])) return metadata;
  return Object.fromEntries(own);
}

/**
 * Eureka metadata without notes: zone and weight where they fit, then the owner's entries.
 * @param order where zone and weight stood among the entries, if not first: {@link entryOrder}.
 */
export function writeMetadata(instance: Instance, order?: Json): Metadata {
  const facts = factEntries(instance);
  const names = new Set(facts.map(([name]) => name));
  const entries: Entry[] = writeOwn(instance.metadata, (name, text) => names.has(name) || means(name, text));
  const metadata: Metadata = Object.fromEntries([...facts, ...entries]);
  return order === undefined ? metadata : reorder(metadata, facts, order);
}

/** Metadata as a document holds it: Java writes a marker where there are no entries. */
export function withNotes(metadata: Metadata, notes: readonly Entry[]): Metadata {
  const entries = [...Object.entries(metadata), ...notes];
  return entries.length === 0 ? emptyMetadata : Object.fromEntries(entries);
}

/**
 * Where zone and weight stand in a document's metadata: their places, or undefined when {@link writeMetadata} puts them
 * there anyhow. The order of a Java map has no meaning, but a round trip keeps it.
 */
export function entryOrder(instance: Instance, metadata: Metadata): Json | undefined {
  // Zone and weight alone have a place of their own.
  if (!Object.hasOwn(metadata, 'zone') && !Object.hasOwn(metadata, 'weight')) return undefined;
  const found = Object.keys(metadata).filter((name) => !isNoteName(name) && name !== '@class');
  const written = Object.keys(writeMetadata(instance));
  if (found.every((name, place) => name === written[place])) return undefined;
  return Object.fromEntries(factEntries(instance).map(([name]) => [name, found.indexOf(name)]));
}

function factEntries({ zone, weight }: Instance): Entry[] {
  const entries: Entry[] = [];
  if (zone !== undefined && means('zone', zone)) entries.push(['zone', zone]);
  if (means('weight', String(weight))) entries.push(['weight', String(weight)]);
  return entries;
}

/** Whether an entry is read as something else than the owner's. */
function means(name: string, text: string): boolean {
  if (name === 'zone') return zonePattern.test(text);
  if (name === 'weight') return text !== '1' && weightPattern.test(text);
  return name === '@class' || name === ''; // Java passes over the first; the second breaks XML
}

function reorder(metadata: Metadata, facts: readonly Entry[], order: Json): Metadata {
  const entries = Object.entries(metadata).filter(([name]) => !facts.some(([fact]) => fact === name));
  const placed = facts.map((entry) => ({ entry, place: placeOf(order, entry[0]) })).sort((a, b) => a.place - b.place);
  for (const { entry, place } of placed) entries.splice(place, 0, [...entry]);
  return Object.fromEntries(entries);
}

function placeOf(order: Json, name: string): number {
  const place: unknown = typeof order === 'object' && order !== null ? Reflect.get(order, name) : undefined;
  return typeof place === 'number' && place >= 0 ? place : 0;
}

function textOf(metadata: Metadata, name: string): string | undefined {
  return Object.hasOwn(metadata, name) ? metadata[name] : undefined;
}
