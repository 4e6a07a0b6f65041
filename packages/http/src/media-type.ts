import { isToken, splitOutsideQuotes, unquoted } from './field-grammar.ts';

/** A media type, or a range of them (RFC 9110 §8.3.1, §12.5.1). */
export interface MediaType {
  /** `application/json`, in lower case; `*` for either half of a range. */
  readonly essence: string;
  readonly type: string;
  readonly subtype: string;
  /** Names in lower case, values as they are. The first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads a media type: the field `content-type`. @returns undefined when it is not well formed */
export function parseMediaType(text: string): MediaType | undefined {
  const [essence = '', ...rest] = splitOutsideQuotes(text, ';').map((part) => part.trim());
  const [type = '', subtype = '', more] = essence.toLowerCase().split('/');
  if (!isToken(type) || !isToken(subtype) || more !== undefined) return undefined;
  const parameters = new Map<string, string>();
  for (const part of rest) {
    if (part === '') continue; // RFC 9110 §5.6.6 allows an empty one
    const parameter = readParameter(part);
    if (!parameter) return undefined;
    const [name, value] = parameter;
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return { essence: `${type}/${subtype}`, type, subtype, parameters };
}

/**
 * Which of the representations that can be offered the client likes best (RFC 9110 §12.5.1). The most exact range
 * that takes an offer decides its quality; equally liked ones are taken in the order offered.
 *
 * @param acceptHeader the field `accept`. Absent, empty, or without any well-formed range: everything is liked.
 * @returns undefined when the client accepts none: then answer NOT_ACCEPTABLE
 */
export function acceptsMediaType(acceptHeader: string | undefined, offered: readonly string[]): string | undefined {
  const ranges = acceptHeader === undefined ? [] : readRanges(acceptHeader);
  if (ranges.length === 0) return offered[0];
  let best: string | undefined;
  let bestQuality = 0;
  for (const offer of offered) {
    const quality = qualityOf(offer, ranges);
    if (quality > bestQuality) {
      best = offer;
      bestQuality = quality;
    }
  }
  return best;
}

interface Range {
  readonly media: MediaType;
  readonly quality: number;
  /** How exact it is: higher decides over lower. */
  readonly weight: number;
}

const tokenOrQuoted = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[^"\\]|\\.)*")$/;

function readParameter(part: string): readonly [name: string, value: string] | undefined {
  const equals = part.indexOf('=');
  const name = part.slice(0, Math.max(0, equals)).toLowerCase();
  const value = part.slice(equals + 1);
  return isToken(name) && tokenOrQuoted.test(value) ? [name, unquoted(value)] : undefined;
}

function readRanges(header: string): Range[] {
  const ranges: Range[] = [];
  for (const element of splitOutsideQuotes(header, ',')) {
    const range = readRange(element);
    if (range) ranges.push(range);
  }
  return ranges.sort((a, b) => b.weight - a.weight);
}

function readRange(element: string): Range | undefined {
  const media = parseMediaType(element);
  if (!media || (media.type === '*' && media.subtype !== '*')) return undefined;
  const quality = media.parameters.get('q') ?? '1';
  if (!/^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(quality)) return undefined;
  const parameters = new Map(media.parameters);
  parameters.delete('q');
  const exactness = media.type === '*' ? 0 : media.subtype === '*' ? 1 : 2;
  return { media: { ...media, parameters }, quality: Number(quality), weight: exactness * 100 + parameters.size };
}

function qualityOf(offer: string, ranges: readonly Range[]): number {
  const media = parseMediaType(offer);
  return ranges.find((range) => media && takes(range.media, media))?.quality ?? 0;
}

function takes(range: MediaType, media: MediaType): boolean {
  if (range.type !== '*' && range.type !== media.type) return false;
  if (range.subtype !== '*' && range.subtype !== media.subtype) return false;
  for (const [name, value] of range.parameters) {
    if (media.parameters.get(name)?.toLowerCase() !== value.toLowerCase()) return false;
  }
  return true;
}
