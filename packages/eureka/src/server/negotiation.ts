import { acceptsMediaType, type HttpHeaders } from '@flotilla/http';
import { type Format, formats } from '../formats.ts';

/** In what Eureka's documents are written. */
export type DocumentType = Format['mediaType'];

/**
 * In what a client wants one document: by quality, then by which it names first; XML if that leaves both, and for whoever
 * says nothing.
 * @returns undefined for whoever accepts neither: also for `text/xml` and `application/*+json` alone, as Java has it
 */
export function acceptedType(headers: HttpHeaders): DocumentType | undefined {
  const accept = headers.get('accept') ?? '';
  const [json, xml] = ['application/json', 'application/xml'].map((type) => accept.toLowerCase().indexOf(type));
  const isJsonFirst = json !== undefined && xml !== undefined && json >= 0 && (xml < 0 || json < xml);
  const offered = ['application/xml', 'application/json'] as const;
  const best = acceptsMediaType(accept, isJsonFirst ? offered.toReversed() : offered);
  return offered.find((type) => type === best);
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

/** In what a client wants to be told of an error; undefined: in nothing that is written here. */
export function errorType(headers: HttpHeaders): DocumentType | 'text/html' | undefined {
  const offered = ['application/json', 'application/xml', 'text/html'] as const;
  const best = acceptsMediaType(headers.get('accept'), offered);
  return offered.find((type) => type === best);
}
