import { type HttpHeaders, parseMediaType } from '@flotilla/http';
import { type Format, formats } from '../formats.ts';

/** In what Eureka's documents are written. */
export type DocumentType = Format['mediaType'];

/**
 * In what a client wants one document (Jersey): by quality, then by exactness, then by which it names first; XML where one
 * range takes both, and for whoever says nothing. Parameters of a range mean nothing.
 * @returns undefined for whoever accepts neither: `text/xml` and `application/*+json` alone are neither
 */
export function acceptedType(headers: HttpHeaders): DocumentType | undefined {
  const accept = headers.get('accept') ?? '';
  const known = accepted.get(accept);
  if (known !== undefined) return known;
  const type = typeFor(accept);
  // Few libraries write few texts; whoever makes up others only has them read each time.
  if (type && accepted.size < mostAccepted && accept.length <= longestAccepted) accepted.set(accept, type);
  return type;
}

/** What some texts of `accept` mean: a client sends the same one with each request. */
const accepted = new Map<string, DocumentType>();
const mostAccepted = 256;
const longestAccepted = 256;

function typeFor(accept: string): DocumentType | undefined {
  if (accept.trim() === '') return 'application/xml';
  for (const { essence } of rangesOf(accept)) {
    if (essence === 'application/json') return essence;
    if (essence === 'application/xml' || essence === 'application/*' || essence === '*/*') return 'application/xml';
  }
  return undefined;
}

/**
 * The form of a list for a client that accepts one: JSON wherever it names JSON, whatever else it likes better, because
 * that is what Java's servers send (labelled XML then; here the label says what it is).
 */
export function listFormat(headers: HttpHeaders): Format {
  const isJson = /json/i.test(headers.get('accept') ?? '');
  const isCompact = headers.get('x-eureka-accept')?.toLowerCase() === 'compact';
  if (isCompact) return isJson ? formats.jsonCompact : formats.xmlCompact;
  return isJson ? formats.json : formats.xml;
}

/** Java's servers look for this text alone, so `gzip;q=0` and `x-gzip` count too. */
export function acceptsGzip(headers: HttpHeaders): boolean {
  return headers.get('accept-encoding')?.includes('gzip') ?? false;
}

/** In what a request's body is written; undefined for anything else, and where nothing is said. */
export function sentType(headers: HttpHeaders): DocumentType | undefined {
  const type = /^application\/(json|xml)[\t ]*(?:;|$)/i.exec(headers.get('content-type') ?? '')?.[1]?.toLowerCase();
  if (type === undefined) return undefined;
  return type === 'json' ? 'application/json' : 'application/xml';
}

/**
 * In what a client wants to be told of an error (Spring): JSON for whoever has no wish.
 * @returns undefined for whoever accepts nothing that is written here
 */
export function errorType(headers: HttpHeaders): DocumentType | 'text/xml' | 'text/html' | undefined {
  const accept = headers.get('accept') ?? '';
  if (accept.trim() === '') return 'application/json';
  for (const { essence } of rangesOf(accept)) {
    if (/^(?:\*\/\*|application\/(?:\*|json|\*\+json))$/.test(essence)) return 'application/json';
    if (essence === 'application/xml' || essence === 'text/xml' || essence === 'text/html') return essence;
  }
  return undefined;
}

/** The well-formed ranges of an `accept`, the one that counts most first. */
function rangesOf(accept: string): { readonly essence: string; readonly quality: number; readonly stars: number }[] {
  return accept
    .split(',')
    .flatMap((element) => {
      const media = parseMediaType(element);
      const quality = Number(media?.parameters.get('q') ?? 1);
      return media && quality > 0 ? [{ essence: media.essence, quality, stars: media.essence.split('*').length }] : [];
    })
    .sort((a, b) => b.quality - a.quality || a.stars - b.stars);
}
