import { FlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpResponse, queryParameter } from '@flotilla/http';
import type { Lease } from '@flotilla/registry';
import { appsHashCode } from '../applications.ts';
import type { EurekaInstance } from '../document.ts';
import { writeInstance, writeList } from '../formats.ts';
import { listedVip } from '../instance.ts';
import { document } from './answers.ts';
import type { Answerer, Asked, EurekaContext } from './context.ts';
import type { DeltaListing } from './delta.ts';
import type { FullListing } from './full-listing.ts';
import { leaseAt } from './lease-at.ts';
import { listed } from './listing.ts';
import { acceptsGzip, type DocumentType, listFormat } from './negotiation.ts';

/** Eureka's clients fetch, and never say what they have taken in: whoever leaves the fleet has to know that they are there. */
function noteReader({ registry }: EurekaContext): void {
  registry.audience.readBy('Eureka');
}

/** What an instance takes in a list, about: of Spring's clients in JSON, some more of them in XML. */
const textBytes = 1_000;
/** The same in a list that is compressed. */
const compressedBytes = 70;

/** `GET apps`. */
export function everybody(context: EurekaContext, asked: Asked): Promise<HttpResponse> {
  const bytesEach = acceptsGzip(asked.request.headers) ? compressedBytes : textBytes;
  asked.enterList(context.registry.size, bytesEach);
  noteReader(context);
  return shared(context.full, asked);
}

/** `GET apps/delta`. */
export function whatChanged(context: EurekaContext, asked: Asked): Promise<HttpResponse> {
  noteReader(context);
  const namesRegions = (queryParameter(asked.request.query, 'regions') ?? '') !== '';
  return shared(namesRegions ? context.regionsDelta : context.delta, asked);
}

/** `GET apps/{app}`. */
export function application(context: EurekaContext, { request, params }: Asked): HttpResponse {
  noteReader(context);
  const { registry } = context;
  const app = (params.get('app') ?? '').toUpperCase();
  const leases = Array.from(registry.named(app)).filter((lease) => registry.find(app, lease.instance.id) === lease);
  if (leases.length === 0) throw new FlotillaError('NO_ROUTE', `no instance of the application "${app}" is registered`);
  const format = listFormat(request.headers);
  return document(
    format.application(
      app,
      leases.map((lease) => listed(lease)),
    ),
    format.mediaType,
  );
}

/** `GET apps/{app}/{id}`. */
export function instance({ registry }: EurekaContext, { params, type }: Asked): HttpResponse {
  return instanceDocument(leaseAt(registry, params), type);
}

/** `GET instances/{id}`: the first of all applications' instances with that id. */
export function instanceAnywhere({ registry }: EurekaContext, { params, type }: Asked): HttpResponse {
  const id = params.get('id');
  for (const lease of registry.list()) if (lease.instance.id === id) return instanceDocument(lease, type);
  throw new FlotillaError('NO_ROUTE', `no application has an instance "${id}"`);
}

/**
 * `GET vips/{vip}` and `svips/{vip}`: whoever has the address as a member of its list, letter for letter. Java writes -1:
 * no delta of this exists.
 */
export function ofVip(member: 'vipAddress' | 'secureVipAddress'): Answerer {
  return (context, { request, params }) => {
    noteReader(context);
    const { registry } = context;
    const vip = params.get('vip') ?? '';
    const documents: EurekaInstance[] = [];
    for (const lease of registry.list()) {
      const { identity, id } = lease.instance;
      const fits = listedVip(lease.instance, member)?.split(',').includes(vip);
      if (fits && registry.find(identity.service, id) === lease) documents.push(listed(lease));
    }
    const format = listFormat(request.headers);
    const hashCode = appsHashCode(documents.map(({ status }) => status));
    return document(writeList(format, documents, { version: -1, hashCode }), format.mediaType);
  };
}

/** An instance by itself; there is no compact form of it. */
export function instanceDocument(lease: Lease, type: DocumentType, status = 200): HttpResponse {
  return document(writeInstance(listed(lease), type), type, status);
}

async function shared(listing: FullListing | DeltaListing, { request, call }: Asked): Promise<HttpResponse> {
  const format = listFormat(request.headers);
  const packed = acceptsGzip(request.headers);
  const list = await listing.list(format, packed, call.clock.now());
  const { length, body } = packed ? list.gzipped() : list.plain();
  const headers = new HttpHeaders([
    ['content-type', format.mediaType],
    ['cache-control', 'no-store'],
    ['content-length', String(length)],
  ]);
  if (packed) headers.set('content-encoding', 'gzip');
  return { status: 200, headers, body };
}
