import { type CarriedContext, foreignContext, parseContext, readContext } from '../../context/context-entry.ts';
import { CompositeReader } from '../composite-metadata.ts';
import { compositeMime, mimeType, routingMime } from '../mime.ts';
import type { PayloadView } from '../payload-view.ts';
import { contextMime } from './call-metadata.ts';

const traceparentMime = mimeType('traceparent');
const tracestateMime = mimeType('tracestate');
const baggageMime = mimeType('baggage');
const httpMime = mimeType('application/vnd.flotilla.http');

/** What the metadata of a request says. */
export interface RequestMetadata {
  /** `catalog.product`; empty without one. */
  readonly route: string;
  readonly context: CarriedContext;
  /** There is the head of an HTTP request: it is one, and no call of an operation. */
  readonly isHttp: boolean;
}

const reader = new CompositeReader();

/**
 * Reads the metadata of a request. Of two routes the last one counts, as with Spring; entries that are not known are
 * passed over. A peer that has no entry of ours may say its trace in entries named like the header fields.
 * @param metadataMime what the connection's SETUP says
 * @throws FlotillaError MALFORMED_REQUEST
 */
export function readRequestMetadata(request: PayloadView, metadataMime: string): RequestMetadata {
  if (!request.hasMetadata) return { route: '', context: parseContext(''), isHttp: false };
  reader.reset(request.bytes, request.metadataStart, request.metadataEnd);
  if (metadataMime === compositeMime.text) return readEntries(request.bytes);
  if (metadataMime !== routingMime.text) return { route: '', context: parseContext(''), isHttp: false };
  reader.start = request.metadataStart;
  reader.end = request.metadataEnd;
  return { route: reader.firstTag(), context: parseContext(''), isHttp: false };
}

function readEntries(bytes: Buffer): RequestMetadata {
  let route = '';
  let own: CarriedContext | undefined;
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  let baggage: string | undefined;
  let isHttp = false;
  while (reader.next()) {
    if (reader.is(routingMime)) route = reader.firstTag();
    else if (reader.is(contextMime)) own = readContext(bytes, reader.start, reader.end);
    else if (reader.is(traceparentMime)) traceparent = reader.text();
    else if (reader.is(tracestateMime)) tracestate = reader.text();
    else if (reader.is(baggageMime)) baggage = reader.text();
    else if (reader.is(httpMime)) isHttp = true;
  }
  return { route, context: own ?? foreignContext(traceparent, tracestate, baggage), isHttp };
}
